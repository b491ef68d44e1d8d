//! `bench catchup`: a device that was away comes back to many chats and many messages.

use crate::error::BenchError;
use crate::figures::Figures;
use crate::fleet::within;
use crate::person::Person;
use crate::processes::{Relay, own_peak_kib};
use crate::reader::Reader;
use crate::wire::Transport;
use crate::writer::Writer;
use aside_protocol::invite::Invite;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, stdin};
use tokio::process::Command;
use tokio::time::interval;

/// Writers at work at a time.
const AT_A_TIME: usize = 32;
/// Messages a writer may have unanswered while the queue is filled.
const WINDOW: u64 = 64;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Chats the device is in, each with another person.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    chats: u64,
    /// Messages behind, in all chats together.
    #[arg(long, default_value_t = 100_000)]
    messages: u64,
    /// What carries the frames.
    #[arg(long, value_enum, default_value = "ws")]
    transport: Transport,
}

pub async fn run(args: Args) -> Result<Figures, BenchError> {
    let relay = Relay::start()?;
    let each = args.messages.div_ceil(args.chats);
    let reader = Reader::register(&relay.invite, 0, args.transport).await?;
    let known = reader.known();
    let writing = (1..=usize::try_from(args.chats).unwrap_or(1)).map(|number| {
        let invite = &relay.invite;
        async move { Writer::new(invite, number, &[known], args.transport).await?.write(each, WINDOW).await }
    });
    stream::iter(writing).buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    // A fresh process, so that memory tells what the catch-up needs, and nothing is cached.
    let relay = relay.restart()?;
    let (relay_before, cpu) = (relay.process.rss_kib()?, relay.process.cpu_ms()?);
    let errand = Errand {
        invite: relay.invite.to_link(),
        device: reader.person().device(),
        messages: each * args.chats,
        transport: args.transport,
    };
    let (told, relay_most) = send_off(&errand, &relay).await?;
    Ok(Figures::default()
        .word("transport", args.transport.word())
        .count("chats", args.chats)
        .count("messages", each * args.chats)
        .number("catchup_ms", told.ms, 0)
        .number("catchup_msgs_per_s", (each * args.chats) as f64 / (told.ms / 1000.0), 0)
        .count("relay_cpu_ms", relay.process.cpu_ms()? - cpu)
        .number("relay_rss_mib", relay_most as f64 / 1024.0, 1)
        .number("relay_rss_grew_mib", (relay_most - relay_before) as f64 / 1024.0, 1)
        .number("device_rss_mib", told.rss_mib, 1))
}

/// What a process of its own is to fetch.
#[derive(Serialize, Deserialize)]
struct Errand {
    invite: String,
    device: ([u8; 16], [u8; 32]),
    messages: u64,
    transport: Transport,
}

/// What came of it: from connecting to having all, and the most memory it had.
#[derive(Deserialize)]
struct Told {
    ms: f64,
    rss_mib: f64,
}

/// Has another process fetch, and looks at the relay's memory meanwhile.
async fn send_off(errand: &Errand, relay: &Relay) -> Result<(Told, u64), BenchError> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["fetch", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(&serde_json::to_vec(errand).map_err(io::Error::other)?).await?;
    }
    let (mut look, mut most) = (interval(LOOK), 0);
    let fetching = within("catching up", async { Ok(child.wait_with_output().await?) });
    tokio::pin!(fetching);
    let output = loop {
        tokio::select! {
            output = &mut fetching => break output?,
            _ = look.tick() => most = most.max(relay.process.rss_kib()?),
        }
    };
    let told = serde_json::from_slice(&output.stdout);
    Ok((told.map_err(|_| BenchError::Misbehaved("the device did not fetch everything; see above".into()))?, most))
}

/// The hidden `bench fetch`: reads its errand from standard input.
pub async fn fetch() -> Result<Figures, BenchError> {
    let mut text = Vec::new();
    stdin().read_to_end(&mut text).await?;
    let errand: Errand = serde_json::from_slice(&text).map_err(io::Error::other)?;
    let invite = Invite::from_link(&errand.invite).map_err(io::Error::other)?;
    let reader = Reader::from(Person::of_device(errand.device)?);
    let began = Instant::now();
    reader.fetch(&invite, errand.messages, errand.transport).await?;
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    Ok(Figures::default().number("ms", ms, 3).number("rss_mib", own_peak_kib()? as f64 / 1024.0, 1))
}

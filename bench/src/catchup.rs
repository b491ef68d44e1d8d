//! `bench catchup`: a device that was away comes back to many chats and many messages.

use crate::error::BenchError;
use crate::figures::Figures;
use crate::fleet::within;
use crate::processes::{Relay, own_rss_kib};
use crate::reader::Reader;
use crate::wire::Transport;
use crate::writer::Writer;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::{Duration, Instant};
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
    let (relay_before, own_before) = (relay.process.rss_kib()?, own_rss_kib()?);
    let (mut relay_most, mut own_most) = (relay_before, own_before);
    let (cpu, began) = (relay.process.cpu_ms()?, Instant::now());
    let mut look = interval(LOOK);
    let fetch = reader.fetch(&relay.invite, each * args.chats, args.transport);
    let fetching = within("catching up", fetch);
    tokio::pin!(fetching);
    loop {
        tokio::select! {
            fetched = &mut fetching => break fetched?,
            _ = look.tick() => {
                relay_most = relay_most.max(relay.process.rss_kib()?);
                own_most = own_most.max(own_rss_kib()?);
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Figures::default()
        .word("transport", args.transport.word())
        .count("chats", args.chats)
        .count("messages", each * args.chats)
        .number("catchup_ms", seconds * 1000.0, 0)
        .number("catchup_msgs_per_s", (each * args.chats) as f64 / seconds, 0)
        .count("relay_cpu_ms", relay.process.cpu_ms()? - cpu)
        .number("relay_rss_mib", relay_most as f64 / 1024.0, 1)
        .number("relay_rss_grew_mib", (relay_most - relay_before) as f64 / 1024.0, 1)
        .number("device_rss_grew_mib", (own_most - own_before) as f64 / 1024.0, 1))
}

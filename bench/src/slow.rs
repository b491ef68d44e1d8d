//! `bench slow`: readers that take nothing while their queues fill, and pairs beside them that must not notice.

use crate::error::BenchError;
use crate::figures::Figures;
use crate::fleet::{Fleet, Sample};
use crate::member::Member;
use crate::processes::Relay;
use crate::reader::Reader;
use crate::relay::talkers;
use crate::wire::Transport;
use crate::writer::Writer;
use aside_protocol::limits::WINDOW_ENVELOPES;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::Duration;

/// Connections set up at a time.
const AT_A_TIME: usize = 32;
/// More than a window, so that every reader's is full.
const EACH: u64 = WINDOW_ENVELOPES as u64 + 64;
/// Readers a writer writes to.
const READERS: usize = 10;
/// Accounts of the readers and writers are numbered from here; the pairs' from 0.
const FIRST: usize = 1_000_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Readers that take nothing.
    #[arg(long, default_value_t = 1000)]
    readers: usize,
    /// Pairs of connections beside them.
    #[arg(long, default_value_t = 20)]
    pairs: usize,
    /// Length of each of the two runs of the pairs.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// What carries the frames.
    #[arg(long, value_enum, default_value = "ws")]
    transport: Transport,
}

pub async fn run(args: Args) -> Result<Figures, BenchError> {
    let relay = Relay::start()?;
    let mut fleet = Fleet::new(talkers(&relay, args.pairs, args.transport).await?, 1);
    let registering = (0..args.readers).map(|number| Reader::register(&relay.invite, FIRST + number, args.transport));
    let readers: Vec<Reader> = stream::iter(registering).buffered(AT_A_TIME).try_collect().await?;
    let coming = readers.iter().map(|reader| reader.come_back(&relay.invite, args.transport));
    let stalled: Vec<Member> = stream::iter(coming).buffered(AT_A_TIME).try_collect().await?;
    let time = Duration::from_secs(args.seconds);
    let (before, ..) = fleet.run(time, || Ok(())).await?;
    let quiet = relay.process.rss_kib()?;
    fill(&relay, &readers, args.transport).await?;
    let (during, ..) = fleet.run(time, || Ok(())).await?;
    let full = relay.process.rss_kib()?;
    drop(stalled);
    for reader in &readers {
        reader.fetch(&relay.invite, EACH, args.transport).await?;
    }
    Ok(told(&args, &before, &during)
        .number("relay_rss_before_mib", quiet as f64 / 1024.0, 1)
        .number("relay_rss_full_windows_mib", full as f64 / 1024.0, 1)
        .number("relay_rss_per_slow_reader_kib", full.saturating_sub(quiet) as f64 / args.readers.max(1) as f64, 1))
}

/// Every reader gets more than its window holds.
async fn fill(relay: &Relay, readers: &[Reader], transport: Transport) -> Result<(), BenchError> {
    let writing = readers.chunks(READERS).enumerate().map(|(number, group)| async move {
        let known: Vec<_> = group.iter().map(Reader::known).collect();
        let mut writer = Writer::new(&relay.invite, 2 * FIRST + number, &known, transport).await?;
        writer.write(EACH, 64).await
    });
    stream::iter(writing).buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    Ok(())
}

fn told(args: &Args, before: &Sample, during: &Sample) -> Figures {
    Figures::default()
        .word("transport", args.transport.word())
        .count("slow_readers", args.readers as u64)
        .number("others_msgs_per_s_before", before.per_second(), 0)
        .number("others_msgs_per_s_beside", during.per_second(), 0)
        .number("others_p99_ms_before", before.p99_ms, 2)
        .number("others_p99_ms_beside", during.p99_ms, 2)
}

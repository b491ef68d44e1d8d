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
use aside_protocol::limits::{WINDOW_BYTES, WINDOW_ENVELOPES};
use futures_util::future::try_join;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::Duration;

/// Connections set up at a time.
const AT_A_TIME: usize = 32;
/// Bytes of a message: a window of envelopes is a window of bytes then.
const LARGE: usize = WINDOW_BYTES / WINDOW_ENVELOPES;
/// Messages to each reader, first while it is away and then while it is stalled: more than its connection can hold, so
/// that the relay has to.
const EACH: u64 = 128;
/// Messages a writer may have unanswered: load beside the pairs, not instead of them.
const WINDOW: u64 = 2;
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
    let writing = readers.chunks(READERS).enumerate().map(|(number, group)| writer(&relay, number, group, &args));
    let mut writers: Vec<Writer> = stream::iter(writing).buffered(AT_A_TIME).try_collect().await?;
    let time = Duration::from_secs(args.seconds);
    // The same writing to the same people who are away, so that only the readers make the difference.
    let ((alone, ..), ()) = try_join(fleet.run(time, || Ok(())), fill(&mut writers)).await?;
    let coming = readers.iter().map(|reader| reader.come_back_narrow(&relay.invite, args.transport));
    let stalled: Vec<Member> = stream::iter(coming).buffered(AT_A_TIME).try_collect().await?;
    let before = relay.process.rss_kib()?;
    let ((beside, ..), ()) = try_join(fleet.run(time, || Ok(())), fill(&mut writers)).await?;
    let full = relay.process.rss_kib()?;
    drop(stalled);
    for reader in &readers {
        reader.fetch(&relay.invite, 2 * EACH, args.transport).await?;
    }
    Ok(told(&args, &alone, &beside)
        .number("relay_rss_before_mib", before as f64 / 1024.0, 1)
        .number("relay_rss_full_windows_mib", full as f64 / 1024.0, 1)
        .number("relay_rss_per_slow_reader_kib", full.saturating_sub(before) as f64 / args.readers.max(1) as f64, 1))
}

async fn writer(relay: &Relay, number: usize, group: &[Reader], args: &Args) -> Result<Writer, BenchError> {
    let known: Vec<_> = group.iter().map(Reader::known).collect();
    Writer::new(&relay.invite, 2 * FIRST + number, &known, args.transport).await?.with_bodies(LARGE)
}

/// Everybody gets more messages.
async fn fill(writers: &mut [Writer]) -> Result<(), BenchError> {
    let writing = writers.iter_mut().map(|writer| writer.write(EACH, WINDOW));
    stream::iter(writing).buffer_unordered(AT_A_TIME).try_collect::<Vec<()>>().await?;
    Ok(())
}

fn told(args: &Args, alone: &Sample, beside: &Sample) -> Figures {
    Figures::default()
        .word("transport", args.transport.word())
        .count("slow_readers", args.readers as u64)
        .number("others_msgs_per_s_alone", alone.per_second(), 0)
        .number("others_msgs_per_s_beside", beside.per_second(), 0)
        .number("others_p99_ms_alone", alone.p99_ms, 2)
        .number("others_p99_ms_beside", beside.p99_ms, 2)
}

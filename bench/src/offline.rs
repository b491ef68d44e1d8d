//! `bench offline`: messages to devices that are away are accepted and synced; then all are fetched and checked.

use crate::error::BenchError;
use crate::figures::Figures;
use crate::fleet::within;
use crate::processes::Relay;
use crate::reader::Reader;
use crate::wire::Transport;
use crate::writer::Writer;
use futures_util::future::try_join_all;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Messages in all.
    #[arg(long, default_value_t = 100_000)]
    messages: u64,
    /// Writers, each with a reader who is away.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    writers: u64,
    /// Messages a writer may have unanswered.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=64))]
    window: u64,
    /// What carries the frames.
    #[arg(long, value_enum, default_value = "ws")]
    transport: Transport,
}

pub async fn run(args: Args) -> Result<Figures, BenchError> {
    let relay = Relay::start()?;
    let each = args.messages.div_ceil(args.writers);
    let (mut readers, mut writers) = (Vec::new(), Vec::new());
    for number in 0..usize::try_from(args.writers).unwrap_or(1) {
        let reader = Reader::register(&relay.invite, 2 * number, args.transport).await?;
        writers.push(Writer::new(&relay.invite, 2 * number + 1, &[reader.known()], args.transport).await?);
        readers.push(reader);
    }
    let (cpu, counters, began) = (relay.process.cpu_ms()?, relay.counters()?, Instant::now());
    let writing =
        writers.into_iter().map(|mut writer| tokio::spawn(async move { writer.write(each, args.window).await }));
    for written in within("writing", async { Ok(try_join_all(writing).await) }).await?.map_err(std::io::Error::other)? {
        written?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let (cpu, syncs) = (relay.process.cpu_ms()? - cpu, relay.counters()?.syncs - counters.syncs);
    let messages = each * args.writers;
    for reader in &readers {
        within("reading", reader.fetch(&relay.invite, each, args.transport)).await?;
    }
    Ok(Figures::default()
        .word("transport", args.transport.word())
        .count("messages", messages)
        .count("window", args.window)
        .number("accepted_per_s", messages as f64 / seconds, 0)
        .number("relay_cpu_ms_per_1000", cpu as f64 * 1000.0 / messages as f64, 2)
        .count("fsyncs", syncs)
        .number("relay_rss_mib", relay.process.rss_kib()? as f64 / 1024.0, 1))
}

//! The client's half of the bench: how fast a long history opens, and how fast a queue becomes stored plaintext.
//!
//! Real programs throughout: the relay is `aside-relay`, what is opened is `aside chats`, and what drains is the
//! agent, in a process of its own. Everything lies in a temporary folder that is gone afterwards.

mod drain;
pub(crate) mod history;
mod opening;
pub(crate) mod programs;
pub(crate) mod senders;
pub(crate) mod texts;

use crate::error::BenchError;
use crate::figures::Figures;
use crate::processes::Relay;
use drain::Drained;
use history::Shape;
use opening::Opened;
use programs::Home;
use senders::Senders;
use std::path::{Path, PathBuf};

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Messages in the history.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    messages: u64,
    /// Chats in the history; the first one has a quarter of the messages.
    #[arg(long, value_name = "N", default_value_t = 300)]
    chats: u64,
    /// Messages waiting in the queue when the device logs in.
    #[arg(long, value_name = "N", default_value_t = 8_000)]
    queue: u64,
    /// Accounts that sent them.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=100))]
    senders: u64,
    /// How often the history is opened.
    #[arg(long, value_name = "N", default_value_t = 40)]
    starts: usize,
    /// How often the queue is filled and drained; the median counts.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u64,
    /// The bench itself, as the process that drains: the profile's folder.
    #[arg(long, value_name = "FOLDER", hide = true)]
    drain: Option<PathBuf>,
}

/// Measures.
///
/// # Errors
/// A program that is missing or fails, or a text that did not arrive exactly once and in order.
pub fn run(args: &Args) -> Result<Figures, BenchError> {
    if let Some(folder) = &args.drain {
        return drain::here(folder);
    }
    let folder = tempfile::tempdir()?;
    let home = Home::new(folder.path().join("device"))?;
    let relay = Relay::start()?;
    let invite = relay.invite.to_link();
    home.register(&invite, "device")?;
    let shape = Shape { messages: args.messages, chats: args.chats };
    let filled = history::fill(&home.profile(), shape)?;
    let database_mib = home.database_bytes()? as f64 / f64::from(1 << 20);
    let opened = opening::measure(&home, filled.chats, args.starts)?;
    let drained = drain_rounds(args, &invite, &home, folder.path())?;
    Ok(figures(args, database_mib, &opened, &drained))
}

fn drain_rounds(args: &Args, invite: &str, home: &Home, folder: &Path) -> Result<Vec<Drained>, BenchError> {
    if args.queue == 0 {
        return Ok(Vec::new());
    }
    let senders = Senders::meet(invite, home, folder, args.senders)?;
    let mut rounds: Vec<Drained> = Vec::new();
    for round in 0..args.rounds.max(1) {
        let expected = senders.fill_queue(round, args.queue)?;
        let drained = drain::in_own_process(home, &expected)?;
        senders.check(&home.profile(), &expected)?;
        rounds.push(drained);
    }
    rounds.sort_by(|a, b| a.per_second().total_cmp(&b.per_second()));
    Ok(rounds)
}

fn figures(args: &Args, database_mib: f64, opened: &Opened, drained: &[Drained]) -> Figures {
    let figures = Figures::default()
        .count("messages", args.messages)
        .count("chats", args.chats)
        .number("database_mib", database_mib, 1)
        .number("open_ms", opened.median_ms, 1)
        .number("open_p90_ms", opened.p90_ms, 1);
    let Some(median) = drained.get(drained.len().saturating_sub(1) / 2) else { return figures };
    figures
        .count("queue", median.messages)
        .count("senders", args.senders)
        .number("drain_msgs_per_s", median.per_second(), 0)
        .number("drain_ms", median.ms, 1)
        .number("drain_cpu_ms_per_1000", median.cpu_ms * 1000.0 / median.messages as f64, 1)
        .number("rss_mib", median.rss_mib, 1)
}

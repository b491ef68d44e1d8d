//! The client's half of the bench: how fast a long history opens, and how fast a queue becomes stored plaintext.
//!
//! Real programs throughout: the relay is `aside-relay`, what is opened is `aside chats`, and what drains is the
//! agent, in a process of its own. Everything lies in a temporary folder that is gone afterwards.

mod drain;
mod error;
mod history;
mod opening;
mod programs;
mod senders;
mod texts;

pub use error::BenchError;

use drain::Drained;
use history::Shape;
use opening::Opened;
use programs::{Home, Programs, Relay};
use senders::Senders;
use serde_json::{Value, json};
use std::path::PathBuf;

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
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// The bench itself, as the process that drains: the profile's folder.
    #[arg(long, value_name = "FOLDER", hide = true)]
    drain: Option<PathBuf>,
}

/// Measures; the figures are one JSON object.
///
/// # Errors
/// A program that is missing or fails, or a text that did not arrive exactly once and in order.
pub fn run(args: &Args) -> Result<Value, BenchError> {
    if let Some(folder) = &args.drain {
        return drain::here(folder);
    }
    let programs = Programs::beside_this_one()?;
    let folder = tempfile::tempdir()?;
    let relay = Relay::start(&programs, folder.path())?;
    let home = Home::new(&programs, folder.path().join("device"));
    home.register(&relay.invite()?, "device")?;
    let shape = Shape { messages: args.messages, chats: args.chats };
    let filled = history::fill(&home.profile(), shape)?;
    let database_mib = home.database_bytes()? as f64 / f64::from(1 << 20);
    let opened = opening::measure(&home, filled.chats, args.starts)?;
    let drained = drain_rounds(args, &programs, &relay, &home, folder.path())?;
    relay.stop()?;
    Ok(figures(args, database_mib, &opened, &drained))
}

fn drain_rounds(
    args: &Args,
    programs: &Programs,
    relay: &Relay,
    home: &Home,
    folder: &std::path::Path,
) -> Result<Vec<Drained>, BenchError> {
    if args.queue == 0 {
        return Ok(Vec::new());
    }
    let senders = Senders::meet(programs, relay, home, folder, args.senders)?;
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

fn figures(args: &Args, database_mib: f64, opened: &Opened, drained: &[Drained]) -> Value {
    let median = drained.get(drained.len().saturating_sub(1) / 2);
    json!({
        "bench": "client",
        "messages": args.messages,
        "chats": args.chats,
        "database_mib": round(database_mib),
        "starts": args.starts,
        "open_ms": round(opened.median_ms),
        "open_p90_ms": round(opened.p90_ms),
        "queue": args.queue,
        "senders": args.senders,
        "rounds": drained.len(),
        "drain_msgs_per_s": median.map(|m| m.per_second().round()),
        "drain_ms": median.map(|m| round(m.ms)),
        "drain_cpu_ms_per_1000": median.map(|m| round(m.cpu_ms * 1000.0 / m.messages as f64)),
        "rss_mib": median.map(|m| round(m.rss_mib)),
    })
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Prints figures as asked: JSON, or a line each.
///
/// # Errors
/// Standard output that cannot be written.
pub fn print(args: &Args, figures: &Value) -> Result<(), BenchError> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    if args.json || args.drain.is_some() {
        writeln!(out, "{figures}")?;
    } else {
        for (name, value) in figures.as_object().into_iter().flatten() {
            writeln!(out, "{name:<24} {value}")?;
        }
    }
    Ok(out.flush()?)
}

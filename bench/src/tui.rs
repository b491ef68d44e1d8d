//! What a person in front of `aside` waits for: the first frame, and each key while others write much.
//!
//! The real program in a pseudo-terminal with an emulator behind it, on a real profile, at a real relay; a second real
//! client floods the open chat. Everything lies in a temporary folder that is gone afterwards.

mod flood;
mod start;
mod terminal;
mod typing;

use crate::client::history::{self, Shape};
use crate::client::programs::Home;
use crate::client::senders::Senders;
use crate::error::BenchError;
use crate::figures::{Figures, median, quantile};
use crate::processes::{Relay, memory_kib};
use flood::{Flood, SERIES};
use std::time::{Duration, Instant};
use terminal::Terminal;

/// Who floods, as `Senders` names its first.
const FLOODER: &str = "sender-0";
/// The longest until the first message of the flood is on the screen.
const ARRIVES: &str = "the flood";

/// What to measure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Messages in the history.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    messages: u64,
    /// Chats in the history; the first one has a quarter of the messages.
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    chats: u64,
    /// Messages a second that another client writes into the open chat.
    #[arg(long, value_name = "M", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    flood: u64,
    /// How long keys are typed.
    #[arg(long, value_name = "S", default_value_t = 10)]
    seconds: u64,
    /// How often the program is started.
    #[arg(long, value_name = "N", default_value_t = 20)]
    starts: usize,
}

/// While keys were typed.
struct Typed {
    /// Microseconds from each key to its paint, sorted.
    times: Vec<u32>,
    /// Frames drawn.
    frames: u64,
    /// Messages a second that came on the screen.
    rate: f64,
    /// Memory the program held at the end.
    rss_mib: f64,
}

/// Measures.
///
/// # Errors
/// A program that is missing or fails, or something that never came on the screen.
pub fn run(args: &Args) -> Result<Figures, BenchError> {
    let folder = tempfile::tempdir()?;
    let home = Home::new(folder.path().join("device"))?;
    let relay = Relay::start()?;
    let invite = relay.invite.to_link();
    home.register(&invite, "device")?;
    history::fill(&home.profile(), Shape { messages: args.messages, chats: args.chats })?;
    let senders = Senders::meet(&invite, &home, folder.path(), 1)?;
    let starts = start::measure(&home, &[FLOODER.to_owned(), "friend-".to_owned()], args.starts)?;
    let typed = flooded(args, &home, &senders)?;
    Ok(Figures::default()
        .count("messages", args.messages)
        .count("chats", args.chats)
        .number("start_ms", median(starts.iter().copied()), 1)
        .number("start_max_ms", starts.iter().copied().fold(0.0, f64::max), 1)
        .count("keys", typed.times.len() as u64)
        .number("key_to_paint_p50_ms", quantile(&typed.times, 0.5) / 1000.0, 2)
        .number("key_to_paint_p99_ms", quantile(&typed.times, 0.99) / 1000.0, 2)
        .number("key_to_paint_max_ms", quantile(&typed.times, 1.0) / 1000.0, 2)
        .number("flood_msgs_per_s", typed.rate, 0)
        .count("frames", typed.frames)
        .number("rss_mib", typed.rss_mib, 1))
}

/// Opens the flooder's chat and types while it is flooded.
fn flooded(args: &Args, home: &Home, senders: &Senders) -> Result<Typed, BenchError> {
    let mut terminal = Terminal::start(&home.command(&[]))?;
    open_chat(&mut terminal)?;
    let flood = match args.flood {
        0 => None,
        rate => Some(Flood::start(senders.profile(0)?, senders.device(), rate)?),
    };
    if flood.is_some() {
        terminal.wait(ARRIVES, |screen| newest(screen).is_some())?;
    }
    let (before, frames, begun) = (terminal.look(newest), terminal.frames(), Instant::now());
    let mut times = typing::measure(&mut terminal, Duration::from_secs(args.seconds))?;
    let (after, took) = (terminal.look(newest), begun.elapsed().as_secs_f64());
    let frames = terminal.frames() - frames;
    let rss_mib = memory_kib(&terminal.pid().to_string(), "VmRSS:")? as f64 / 1024.0;
    if let Some(flood) = flood {
        flood.stop()?;
    }
    terminal.leave()?;
    times.sort_unstable();
    let rate = after.unwrap_or_default().saturating_sub(before.unwrap_or_default()) as f64 / took;
    Ok(Typed { times, frames, rate, rss_mib })
}

/// Ctrl-P, the name, Enter; then the chat's one message can be read.
fn open_chat(terminal: &mut Terminal) -> Result<(), BenchError> {
    terminal.wait("the chat list", |screen| screen.contents().contains(FLOODER))?;
    terminal.send(b"\x10")?;
    terminal.send(FLOODER.as_bytes())?;
    terminal.wait("the switcher", |screen| screen.contents().matches(FLOODER).count() > 1)?;
    terminal.send(b"\r")?;
    terminal.wait("the chat", |screen| {
        let text = screen.contents();
        text.contains("Enter send") && !text.contains("Find or begin")
    })?;
    Ok(())
}

/// The highest number of the flood's messages on the screen.
fn newest(screen: &vt100::Screen) -> Option<u64> {
    let text = screen.contents();
    let numbers = text.match_indices(SERIES).filter_map(|(at, series)| {
        let after = text.get(at + series.len()..)?.trim_start();
        after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    numbers.max()
}

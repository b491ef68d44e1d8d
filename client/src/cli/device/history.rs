//! The history that goes to a new device: which of it, and how far it is, on both machines (rules `HIS-*`).

use crate::agent::Handle;
use crate::cli::{CliError, json, prompt};
use crate::handover::{self, Standing};
use aside_engine::{Engine, EngineError};
use aside_protocol::{DeviceId, Millis};
use std::io::{IsTerminal, Write};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The other device may be gone: without news for so long, nobody waits here any more.
const PATIENCE: Duration = Duration::from_secs(60);
/// Progress is told so often at most.
const PACE: Duration = Duration::from_millis(250);

/// Which messages a new device gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    All,
    None,
    Since(Millis),
}

impl Wish {
    /// From when on; none: no messages at all.
    pub fn since(self) -> Option<Millis> {
        match self {
            Self::All => Some(Millis(0)),
            Self::None => None,
            Self::Since(since) => Some(since),
        }
    }
}

/// Reads a wish as the option has it.
pub(super) fn wish(text: &str) -> Result<Wish, String> {
    match text.trim() {
        "all" => Ok(Wish::All),
        "none" => Ok(Wish::None),
        other => other
            .strip_prefix("since=")
            .and_then(day)
            .map(Wish::Since)
            .ok_or_else(|| "this is all, none, or since= and a date, for example since=2026-01-31".to_owned()),
    }
}

/// The beginning of a day, UTC.
fn day(text: &str) -> Option<Millis> {
    let date: jiff::civil::Date = text.trim().parse().ok()?;
    let begins = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    u64::try_from(begins.timestamp().as_millisecond()).ok().map(Millis)
}

/// Asks at the terminal until the answer is a wish.
pub(super) async fn ask() -> Result<Wish, CliError> {
    loop {
        let question = "Which messages may it have: all, none, or those since a date (YYYY-MM-DD)? [all] ";
        let answer = prompt::answer(question.into()).await?;
        match answer.trim() {
            "" => return Ok(Wish::All),
            text => match wish(text).ok().or_else(|| day(text).map(Wish::Since)) {
                Some(wish) => return Ok(wish),
                None => eprintln!("Please answer all, none, or a date such as 2026-01-31."),
            },
        }
    }
}

/// Follows what this device hands to a new one, until that one is told.
pub(super) async fn hand_over(handle: &Handle, device: DeviceId, as_json: bool) -> Result<(), CliError> {
    let look = move |engine: &mut Engine| engine.read(|tx| handover::handed(tx, &device));
    let later = "The history is not all at the relay yet; it goes on whenever aside runs here.";
    follow(handle, look, ("Handing the history over", later), as_json).await
}

/// Follows what an old device hands to this one, until all of it is stored.
pub(super) async fn receive(handle: &Handle, expected: u64, as_json: bool) -> Result<(), CliError> {
    let look = move |engine: &mut Engine| engine.read(|tx| handover::received(tx, expected));
    if !as_json {
        eprintln!(
            "The other device hands its history over: about {expected} messages. It goes on if this is interrupted."
        );
    }
    let later = "The history is not all here yet; it goes on whenever aside runs here.";
    follow(handle, look, ("Getting the history", later), as_json).await
}

/// Shows how it goes on until it is over, or nothing has moved for long.
async fn follow(
    handle: &Handle,
    look: impl Fn(&mut Engine) -> Result<Standing, EngineError> + Clone + Send + 'static,
    (what, later): (&str, &str),
    as_json: bool,
) -> Result<(), CliError> {
    let (mut changes, mut line) = (handle.changes(), Line::new(what, as_json));
    let (mut before, mut deadline) = (None, Instant::now() + PATIENCE);
    loop {
        changes.mark_unchanged();
        let now = handle.with(look.clone()).await?;
        if let Some(end) = &now.end {
            return line.end(&now, end);
        }
        if before.as_ref() != Some(&now) {
            line.show(&now)?;
            (before, deadline) = (Some(now), Instant::now() + PATIENCE);
        }
        let news = timeout_at(deadline, changes.changed()).await;
        if !matches!(news, Ok(Ok(()))) {
            line.close();
            if !as_json {
                eprintln!("{later}");
            }
            return Ok(());
        }
    }
}

/// One line at a terminal that is written anew; lines of JSON for scripts; nothing but the end where neither is.
struct Line<'a> {
    what: &'a str,
    as_json: bool,
    terminal: bool,
    written: bool,
    next: Instant,
}

impl<'a> Line<'a> {
    fn new(what: &'a str, as_json: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { what, as_json, terminal, written: false, next: Instant::now() }
    }

    fn show(&mut self, now: &Standing) -> Result<(), CliError> {
        if now.done == 0 || Instant::now() < self.next {
            return Ok(());
        }
        self.next = Instant::now() + PACE;
        if self.as_json {
            return json::print("history_progress", serde_json::json!({ "done": now.done, "total": now.total }));
        }
        if self.terminal {
            self.written = true;
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r{}: {} of {} messages", self.what, now.done, now.total).and_then(|()| out.flush());
        }
        Ok(())
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.written) {
            eprintln!();
        }
    }

    fn end(&mut self, now: &Standing, end: &Result<(), String>) -> Result<(), CliError> {
        self.close();
        if self.as_json {
            let error = end.as_ref().err();
            let value = serde_json::json!({
                "done": now.done, "total": now.total, "missing": now.missing, "error": error,
            });
            return json::print("history_done", value);
        }
        match end {
            Err(why) => eprintln!("The history could not be handed over: {why}."),
            Ok(()) if now.missing > 0 => eprintln!(
                "{}: {} messages; {} are missing: the relay does not have them any more.",
                self.what, now.done, now.missing
            ),
            Ok(()) => eprintln!("{}: all {} messages.", self.what, now.done),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_all_none_or_a_day() {
        assert_eq!(wish("all"), Ok(Wish::All));
        assert_eq!(wish("none"), Ok(Wish::None));
        assert_eq!(wish("since=2026-11-22"), Ok(Wish::Since(Millis(1_795_305_600_000))));
        for nonsense in ["", "since=", "since=2026-13-01", "2026", "since=1969-01-01"] {
            assert!(wish(nonsense).is_err(), "{nonsense}");
        }
    }
}

//! Keys typed into the composer, and how long each takes to be seen there.

use super::terminal::Terminal;
use crate::client::texts::below;
use crate::error::BenchError;
use std::time::{Duration, Instant};

/// Keys after which the composer is emptied, so that it stays on one row.
const LINE: usize = 24;
/// Between two keys: between these, so that keys and frames do not fall into step.
const PACE_MS: (u64, u64) = (15, 35);

/// Types until the time is over; each key's time in microseconds.
pub(super) fn measure(terminal: &mut Terminal, long: Duration) -> Result<Vec<u32>, BenchError> {
    let (end, mut dice) = (Instant::now() + long, 11);
    let mut times = Vec::new();
    let mut typed = String::new();
    while Instant::now() < end {
        if typed.len() >= LINE {
            empty(terminal, &mut typed)?;
        }
        let key = b'a' + below(&mut dice, 26) as u8;
        typed.push(char::from(key));
        let pressed = terminal.send(&[key])?;
        let seen = terminal.wait("what was typed", |screen| before_cursor(screen).ends_with(&typed))?;
        times.push(u32::try_from(seen.saturating_duration_since(pressed).as_micros()).unwrap_or(u32::MAX));
        std::thread::sleep(Duration::from_millis(PACE_MS.0 + below(&mut dice, PACE_MS.1 - PACE_MS.0)));
    }
    empty(terminal, &mut typed)?;
    Ok(times)
}

/// Ctrl-U, as in any line editor.
fn empty(terminal: &mut Terminal, typed: &mut String) -> Result<(), BenchError> {
    terminal.send(b"\x15")?;
    terminal.wait("an empty composer", |screen| !before_cursor(screen).ends_with(typed.as_str()))?;
    typed.clear();
    Ok(())
}

/// The cursor's row, up to the cursor.
fn before_cursor(screen: &vt100::Screen) -> String {
    let (row, column) = screen.cursor_position();
    screen.contents_between(row, 0, row, column)
}

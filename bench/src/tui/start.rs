//! From a process's start to the first complete frame in which the chat list can be read.

use super::terminal::Terminal;
use crate::client::programs::Home;
use crate::error::BenchError;

/// Starts that are not counted: they bring program and database into the system's cache.
const WARM_UP: usize = 3;

/// Starts `aside` many times and waits each time for the names of two chats; the times in milliseconds.
pub(super) fn measure(home: &Home, names: &[String], starts: usize) -> Result<Vec<f64>, BenchError> {
    for _ in 0..WARM_UP {
        once(home, names)?;
    }
    (0..starts.max(1)).map(|_| once(home, names)).collect()
}

fn once(home: &Home, names: &[String]) -> Result<f64, BenchError> {
    let mut terminal = Terminal::start(&home.command(&[]))?;
    let seen = terminal.wait("the chat list", |screen| {
        let text = screen.contents();
        names.iter().all(|name| text.contains(name))
    })?;
    let ms = seen.duration_since(terminal.started).as_secs_f64() * 1000.0;
    terminal.leave()?;
    Ok(ms)
}

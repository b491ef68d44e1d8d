//! From a process's start to the whole chat list on its standard output, read from the store, without a network.

use super::programs::Home;
use crate::error::BenchError;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

/// Starts that are not counted: they bring programs and database into the system's cache.
const WARM_UP: usize = 3;

/// How long it took.
#[derive(Debug)]
pub(super) struct Opened {
    /// Half of the starts were quicker, in milliseconds.
    pub median_ms: f64,
    /// Nine in ten were quicker.
    pub p90_ms: f64,
}

/// Starts `aside chats --json` many times and waits each time for the last of `chats` lines.
pub(super) fn measure(home: &Home, chats: u64, starts: usize) -> Result<Opened, BenchError> {
    for _ in 0..WARM_UP {
        once(home, chats)?;
    }
    let mut times = (0..starts.max(1)).map(|_| once(home, chats)).collect::<Result<Vec<f64>, _>>()?;
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    Ok(Opened { median_ms: at(50), p90_ms: at(90) })
}

fn once(home: &Home, chats: u64) -> Result<f64, BenchError> {
    let mut command = home.command(&["chats", "--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let start = Instant::now();
    let mut process = command.spawn()?;
    let mut lines = 0;
    if let Some(out) = process.stdout.take() {
        for line in BufReader::new(out).lines().take(chats as usize) {
            line?;
            lines += 1;
        }
    }
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    let status = process.wait()?;
    if status.success() && lines == chats {
        Ok(ms)
    } else {
        Err(BenchError::Failed(format!("aside chats printed {lines} of {chats} chats and ended with {status}")))
    }
}

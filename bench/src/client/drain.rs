//! From login to the stored plaintext of the last message in the queue, in a process that does nothing else.

use super::programs::{Home, last_json};
use super::senders::Expected;
use crate::error::BenchError;
use crate::figures::Figures;
use aside::agent::{Agent, Connectivity, Handle};
use aside_engine::Config;
use aside_store::ProfileFolder;
use aside_transport::Choice;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// The longest that one drain may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// One drained queue.
#[derive(Debug)]
pub(super) struct Drained {
    /// Messages in it.
    pub messages: u64,
    /// From login to the commit that stored the last one.
    pub ms: f64,
    /// Processor time of the process, from its start.
    pub cpu_ms: f64,
    /// The most memory the process held.
    pub rss_mib: f64,
}

impl Drained {
    /// Messages stored in a second.
    pub fn per_second(&self) -> f64 {
        self.messages as f64 * 1000.0 / self.ms
    }
}

/// Starts this program again, to drain the queue there.
pub(super) fn in_own_process(home: &Home, expected: &Expected) -> Result<Drained, BenchError> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["client", "--json", "--drain"])
        .arg(home.profile().path())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let done = command.stdout(Stdio::piped()).spawn()?.wait_with_output()?;
    if !done.status.success() {
        return Err(BenchError::Failed(format!("the draining process ended with {}", done.status)));
    }
    let said = last_json(&String::from_utf8_lossy(&done.stdout))?;
    let figure = |key: &str| said[key].as_f64().unwrap_or_default();
    Ok(Drained {
        messages: expected.total,
        ms: figure("drain_ms"),
        cpu_ms: figure("cpu_ms"),
        rss_mib: figure("rss_mib"),
    })
}

/// Drains the queue of a profile. The same runtime as `aside` has: one thread, and the engine's own.
pub(super) fn here(folder: &Path) -> Result<Figures, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let took = runtime.block_on(drain(&ProfileFolder::new(folder)))?;
    Ok(Figures::default().number("drain_ms", took.as_secs_f64() * 1000.0, 3).number("cpu_ms", cpu_ms()?, 0).number(
        "rss_mib",
        peak_rss_mib()?,
        1,
    ))
}

async fn drain(folder: &ProfileFolder) -> Result<Duration, BenchError> {
    let agent = Agent::open(folder, Config::default(), Choice::Auto)?;
    let handle = agent.handle();
    logged_in(&handle).await?;
    let start = Instant::now();
    let stored = handle.wait(start + PATIENCE, |engine| Ok(engine.caught_up().then_some(()))).await?;
    let took = start.elapsed();
    if stored.is_none() {
        return Err(BenchError::Failed("the queue was not drained in time".into()));
    }
    agent.close(Duration::from_secs(10)).await;
    Ok(took)
}

/// Nothing is delivered before this: the device attaches right after.
async fn logged_in(handle: &Handle) -> Result<(), BenchError> {
    let mut state = handle.connectivity();
    let reached = state.wait_for(|state| !matches!(state, Connectivity::Connecting)).await;
    match reached.as_deref() {
        Ok(Connectivity::Online(_)) => Ok(()),
        other => Err(BenchError::Failed(format!("the device did not log in: {other:?}"))),
    }
}

fn peak_rss_mib() -> Result<f64, BenchError> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default();
    Ok(kib / 1024.0)
}

/// User and system time, which the kernel counts in hundredths of a second.
fn cpu_ms() -> Result<f64, BenchError> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The program's name, in parentheses, may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks * 10.0)
}

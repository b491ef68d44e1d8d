//! A real client that writes so many messages a second, until it is told to stop.

use crate::client::texts::text;
use crate::error::BenchError;
use aside::agent::{Agent, SystemRandom};
use aside_engine::Config;
use aside_protocol::{AccountId, MessageId};
use aside_store::ProfileFolder;
use aside_transport::Choice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::time::Instant;

/// How its texts begin.
pub(super) const SERIES: &str = "flood";
/// Between two bursts.
const PACE: Duration = Duration::from_millis(10);
/// Unoptimised, handshakes take more than the usual 2 MiB.
const STACK: usize = 8 << 20;
/// It waits while so many messages are not at the relay: a backlog would go on after the measurement.
const BACKLOG: u64 = 500;

/// The flooding client, in a thread of its own.
pub(super) struct Flood {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), BenchError>>>,
}

impl Flood {
    /// Begins to write to `to`.
    pub fn start(from: ProfileFolder, to: AccountId, per_second: u64) -> Result<Self, BenchError> {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(flood(&from, to, per_second, &told))
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Ends it; an error is what went wrong on the way.
    pub fn stop(mut self) -> Result<(), BenchError> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            _ => Err(BenchError::Failed("the flooding client failed".into())),
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn flood(from: &ProfileFolder, to: AccountId, per_second: u64, stop: &AtomicBool) -> Result<(), BenchError> {
    let agent = Agent::open(from, Config::default(), Choice::Auto)?;
    let handle = agent.handle();
    let mut beat = tokio::time::interval(PACE);
    let (begun, mut sent) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        beat.tick().await;
        let due = (begun.elapsed().as_secs_f64() * per_second as f64) as u64;
        let waiting = handle.read(|tx| Ok(tx.unsent_count()?)).await?;
        let until = due.min(sent + BACKLOG.saturating_sub(waiting));
        if until <= sent {
            continue;
        }
        let first = std::mem::replace(&mut sent, until);
        handle
            .step(move |step| {
                for number in first..until {
                    let id = MessageId(aside_engine::fresh(&mut SystemRandom));
                    let _accepted = step.send_text(&to, id, &text(SERIES, number))?;
                }
                Ok(())
            })
            .await?;
    }
    agent.close(Duration::from_secs(10)).await;
    Ok(())
}

//! A few threads with read-only connections, so that reading never waits for the writer nor blocks the async workers.

mod states;

pub use states::{Snapshot, States};

use crate::guard::AbortOnPanic;
use aside_relay_core::CoreError;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Threads that read the only partition there is. Each of their connections has its own page cache.
const READERS: usize = 2;
/// Threads that read several partitions.
const READERS_OF_MANY: usize = 4;

type Job = Box<dyn FnOnce(&States) + Send>;

/// Where reads are queued. A session has a bounded number of reads under way, so the queue is bounded by those.
pub struct Readers {
    jobs: Mutex<Option<Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Opens the connections to the partitions' databases, in the order of their numbers, and starts the threads; they
    /// end with [`Readers::stop`].
    pub fn start(databases: &[PathBuf]) -> Result<Self, CoreError> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for index in 0..if databases.len() > 1 { READERS_OF_MANY } else { READERS } {
            let states = States::open(databases)?;
            let receiver = receiver.clone();
            let spawned = thread::Builder::new()
                .name(format!("reader-{index}"))
                .stack_size(512 << 10)
                .spawn(move || work(&states, &receiver));
            match spawned {
                Ok(thread) => threads.push(thread),
                Err(error) => tracing::error!(%error, "a reader thread did not start"),
            }
        }
        Ok(Self { jobs: Mutex::new(Some(sender)), threads: Mutex::new(threads) })
    }

    /// Queues a read; its result goes wherever the closure sends it.
    pub fn run(&self, job: impl FnOnce(&States) + Send + 'static) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.as_ref().is_none_or(|jobs| jobs.send(Box::new(job)).is_err()) {
            tracing::debug!("the readers have ended");
        }
    }

    /// Does what is queued, then ends the threads and waits for them: a thread that still runs while the process exits
    /// finds libraries taken apart under it.
    pub fn stop(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        if threads.into_iter().any(|thread| thread.join().is_err()) {
            tracing::error!("a reader thread panicked");
        }
    }
}

fn work(states: &States, jobs: &Mutex<Receiver<Job>>) {
    let _guard = AbortOnPanic;
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(states),
            Err(_) => return,
        }
    }
}

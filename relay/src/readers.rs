//! A few threads with read-only connections, so that reading never waits for the writer nor blocks the async workers.

use crate::guard::AbortOnPanic;
use aside_relay_core::{CoreError, Reader};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Read connections; each has its own page cache.
const READERS: usize = 2;

type Job = Box<dyn FnOnce(&Reader) + Send>;

/// Where reads are queued. A session has a bounded number of reads under way, so the queue is bounded by those.
pub struct Readers {
    jobs: Mutex<Sender<Job>>,
}

impl Readers {
    /// Opens the connections and starts their threads; they end when the value is dropped.
    pub fn start(database: &Path) -> Result<Self, CoreError> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        for index in 0..READERS {
            let reader = Reader::open(database)?;
            let receiver = receiver.clone();
            let spawned = thread::Builder::new()
                .name(format!("reader-{index}"))
                .stack_size(512 << 10)
                .spawn(move || work(&reader, &receiver));
            if let Err(error) = spawned {
                tracing::error!(%error, "a reader thread did not start");
            }
        }
        Ok(Self { jobs: Mutex::new(sender) })
    }

    /// Queues a read; its result goes wherever the closure sends it.
    pub fn run(&self, job: impl FnOnce(&Reader) + Send + 'static) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.send(Box::new(job)).is_err() {
            tracing::error!("the reader threads are gone");
        }
    }
}

fn work(reader: &Reader, jobs: &Mutex<Receiver<Job>>) {
    let _guard = AbortOnPanic;
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(reader),
            Err(_) => return,
        }
    }
}

//! The log of a relay alone: one thread owns the core and commits whatever waits, one transaction and fsync a batch.

use super::applier::{Applier, Counters, Record, busy};
use super::queue::{Queue, Work};
use super::{Log, Reply, Then};
use crate::clock;
use crate::guard::AbortOnPanic;
use crate::hub::Hub;
use crate::mailbox::Wakes;
use aside_protocol::{DeviceId, PartitionId, Pos};
use aside_relay_core::command_log::CommandLog;
use aside_relay_core::{Command, Core};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often retention looks for something to delete.
const RETAIN_EVERY: Duration = Duration::from_secs(60);

/// The handle on the writer thread.
pub struct LocalLog {
    counters: Arc<Mutex<Counters>>,
    queue: Arc<Queue>,
    pages: Arc<Mutex<Option<Option<u32>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl LocalLog {
    /// Starts the writer. `record` gets every applied command.
    pub fn start(core: Core, hub: Arc<Hub>, record: Option<CommandLog>) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let pages = Arc::new(Mutex::new(None));
        let record = record.map(|mut log| -> Record { Box::new(move |batch| log.append(batch)) });
        let applier = Applier::new(core, hub, record);
        let counters = Arc::new(Mutex::new(Counters::default()));
        let writer = Writer { applier, queue: queue.clone(), pages: pages.clone(), counters: counters.clone() };
        let thread = thread::Builder::new().name("writer".into()).spawn(move || writer.run())?;
        Ok(Self { counters, queue, pages, writer: Mutex::new(Some(thread)) })
    }
}

impl Log for LocalLog {
    fn submit(&self, command: Command, reply: Reply) {
        if let Err(reply) = self.queue.submit(command, reply, Instant::now()) {
            reply(busy(), &mut Wakes::default());
        }
    }

    /// There is one partition.
    fn ack(&self, device: DeviceId, _: PartitionId, pos: Pos) {
        self.queue.ack(device, pos, Instant::now());
    }

    /// There are no others.
    fn attached(&self, _: DeviceId) {}

    fn when_current(&self, then: Then) {
        then(true);
    }

    fn counters(&self) -> Counters {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limit_pages(&self, pages: Option<u32>) {
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = Some(pages);
    }

    fn stop(&self) {
        self.queue.stop();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer thread panicked");
        }
    }
}

struct Writer {
    applier: Applier,
    queue: Arc<Queue>,
    pages: Arc<Mutex<Option<Option<u32>>>>,
    counters: Arc<Mutex<Counters>>,
}

impl Writer {
    fn run(mut self) {
        let _guard = AbortOnPanic;
        let mut retain_at = Instant::now();
        loop {
            let work = self.queue.next(retain_at);
            self.apply_page_limit();
            match work {
                Work::Batch(batch) => {
                    let committed = self.applier.commit(batch, Instant::now(), clock::wall());
                    *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = self.applier.counters();
                    self.applier.hand_out(committed);
                }
                Work::Idle => {}
                Work::Stopped => break,
            }
            if retain_at <= Instant::now() {
                let more = self.applier.retain(clock::wall());
                retain_at = Instant::now() + if more { Duration::ZERO } else { RETAIN_EVERY };
            }
        }
        if let Err(error) = self.applier.core().checkpoint() {
            tracing::warn!(%error, "the last checkpoint failed; the next start makes up for it");
        }
    }

    fn apply_page_limit(&self) {
        let asked = self.pages.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pages) = asked
            && let Err(error) = self.applier.core().limit_pages(pages)
        {
            tracing::error!(%error, "the page limit was not set");
        }
    }
}

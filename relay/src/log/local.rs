//! The log of a relay alone: one thread owns the core and commits whatever waits, one transaction and fsync a batch.

use super::queue::{Queue, Waiting, Work};
use super::{Log, Reply};
use crate::clock;
use crate::guard::AbortOnPanic;
use crate::hub::Hub;
use aside_protocol::frame::GoodbyeReason;
use aside_protocol::refusal::RetryAfter;
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, Pos, Refusal};
use aside_relay_core::command_log::CommandLog;
use aside_relay_core::{Command, Core, CoreError, Outcome, Stamped};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often retention looks for something to delete.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// Rows each retention command looks at: a few milliseconds of the writer's time.
const RETAIN_ROWS: u32 = 500;
/// What a client that was answered `Busy` or `Unavailable` waits before it tries again, in milliseconds.
const RETRY_AFTER_MS: u64 = 2_000;

/// What the writer counted since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Commands applied.
    pub commands: u64,
    /// Transactions that were made durable, each with one sync of the write-ahead log.
    pub syncs: u64,
}

#[derive(Debug, Default)]
struct Counting {
    commands: AtomicU64,
    syncs: AtomicU64,
}

/// The handle on the writer thread.
pub struct LocalLog {
    counting: Arc<Counting>,
    queue: Arc<Queue>,
    pages: Arc<Mutex<Option<Option<u32>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl LocalLog {
    /// Starts the writer. `record` gets every applied command.
    pub fn start(core: Core, hub: Arc<Hub>, record: Option<CommandLog>) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let pages = Arc::new(Mutex::new(None));
        let counting = Arc::new(Counting::default());
        let (for_queue, for_pages, for_counting) = (queue.clone(), pages.clone(), counting.clone());
        let writer =
            Writer { core, hub, record, queue: for_queue, pages: for_pages, counting: for_counting, failing: false };
        let thread = thread::Builder::new().name("writer".into()).spawn(move || writer.run())?;
        Ok(Self { counting, queue, pages, writer: Mutex::new(Some(thread)) })
    }

    /// Applies what waits, checkpoints, and ends the writer. Blocks until it is done.
    pub fn stop(&self) {
        self.queue.stop();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer thread panicked");
        }
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        let Counting { commands, syncs } = &*self.counting;
        Counters { commands: commands.load(Ordering::Relaxed), syncs: syncs.load(Ordering::Relaxed) }
    }

    /// Bounds the database from the next batch on ([`Core::limit_pages`]).
    pub fn limit_pages(&self, pages: Option<u32>) {
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = Some(pages);
    }
}

impl Log for LocalLog {
    fn submit(&self, command: Command, reply: Reply) {
        if let Err(reply) = self.queue.submit(command, reply, Instant::now()) {
            reply(busy());
        }
    }

    fn ack(&self, device: DeviceId, pos: Pos) {
        self.queue.ack(device, pos, Instant::now());
    }
}

struct Writer {
    core: Core,
    hub: Arc<Hub>,
    record: Option<CommandLog>,
    queue: Arc<Queue>,
    pages: Arc<Mutex<Option<Option<u32>>>>,
    counting: Arc<Counting>,
    /// Whether the last batch failed, so that a lasting failure is logged once.
    failing: bool,
}

impl Writer {
    fn run(mut self) {
        let _guard = AbortOnPanic;
        let mut retain_at = Instant::now();
        loop {
            let work = self.queue.next(retain_at);
            self.apply_page_limit();
            match work {
                Work::Batch { commands, acks } => self.batch(commands, acks),
                Work::Idle => {}
                Work::Stopped => break,
            }
            if retain_at <= Instant::now() {
                let more = self.retain();
                retain_at = Instant::now() + if more { Duration::ZERO } else { RETAIN_EVERY };
            }
        }
        if let Err(error) = self.core.checkpoint() {
            tracing::warn!(%error, "the last checkpoint failed; the next start makes up for it");
        }
    }

    /// Applies one batch, then answers, then pushes, in the order of the log.
    fn batch(&mut self, commands: Vec<Waiting>, acks: BTreeMap<DeviceId, Pos>) {
        let now = Instant::now();
        let (alive, late): (Vec<Waiting>, Vec<Waiting>) = commands.into_iter().partition(|c| c.deadline > now);
        answer_all(late.into_iter().flat_map(|waiting| waiting.replies), &busy());
        let time = clock::wall();
        let ack_count = acks.len();
        let acks = acks.into_iter().map(|(device, pos)| Command::Ack { device, pos });
        let (commands, replies): (Vec<Command>, Vec<Vec<Reply>>) =
            alive.into_iter().map(|waiting| (waiting.command, waiting.replies)).unzip();
        let batch: Vec<Stamped> = acks.chain(commands).map(|command| Stamped { time, command }).collect();
        if batch.is_empty() {
            return;
        }
        match self.apply(&batch, !replies.is_empty()) {
            Ok(outcomes) => self.hand_out(outcomes.into_iter().skip(ack_count).collect(), replies),
            Err(_) => answer_all(replies.into_iter().flatten(), &unavailable()),
        }
    }

    fn hand_out(&self, mut outcomes: Vec<Outcome>, replies: Vec<Vec<Reply>>) {
        for (outcome, replies) in outcomes.iter().zip(replies) {
            answer_all(replies.into_iter(), &outcome.answer);
        }
        for outcome in &mut outcomes {
            outcome.deliveries.drain(..).for_each(|delivery| self.hub.push(delivery));
            // A removed device that comes back is told at its login that it was removed.
            outcome.revoked.iter().for_each(|device| self.hub.disconnect(device, GoodbyeReason::ShuttingDown));
        }
    }

    /// Deletes a bounded amount; says whether there is more.
    fn retain(&mut self) -> bool {
        let batch = [Stamped { time: clock::wall(), command: Command::Retain { limit: RETAIN_ROWS } }];
        self.apply(&batch, false).is_ok_and(|outcomes| outcomes.iter().any(|outcome| outcome.more))
    }

    fn apply(&mut self, batch: &[Stamped], durable: bool) -> Result<Vec<Outcome>, CoreError> {
        let result = self.core.apply(batch, durable);
        match &result {
            Ok(_) if self.failing => tracing::warn!("the database accepts writes again"),
            Err(error) if !self.failing => tracing::error!(%error, "nothing can be stored; retrying as commands come"),
            _ => {}
        }
        self.failing = result.is_err();
        if result.is_ok() {
            self.counting.commands.fetch_add(batch.len() as u64, Ordering::Relaxed);
            self.counting.syncs.fetch_add(u64::from(durable), Ordering::Relaxed);
        }
        if let (Ok(_), Some(record)) = (&result, &mut self.record)
            && let Err(error) = record.append(batch)
        {
            tracing::error!(%error, "the command record ends here");
            self.record = None;
        }
        result
    }

    fn apply_page_limit(&self) {
        let asked = self.pages.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pages) = asked
            && let Err(error) = self.core.limit_pages(pages)
        {
            tracing::error!(%error, "the page limit was not set");
        }
    }
}

fn answer_all(replies: impl Iterator<Item = Reply>, answer: &Answer) {
    replies.for_each(|reply| reply(answer.clone()));
}

fn busy() -> Answer {
    Answer::Refused(Refusal::Busy(RetryAfter { retry_after_ms: RETRY_AFTER_MS }))
}

fn unavailable() -> Answer {
    Answer::Refused(Refusal::Unavailable(RetryAfter { retry_after_ms: RETRY_AFTER_MS }))
}

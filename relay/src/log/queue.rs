//! The queue in front of the writer: bounded, with retries joined and acknowledgements coalesced.

use super::Reply;
use aside_protocol::{ChatId, DeviceId, Hash, N, Pos};
use aside_relay_core::Command;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most commands waiting.
pub(super) const MOST_WAITING: usize = 4096;
/// Most bytes of bodies waiting.
const MOST_WAITING_BYTES: usize = 32 << 20;
/// Most commands of one batch.
pub(super) const MOST_BATCH: usize = 2000;
/// A batch takes no further command once it has this many bytes of bodies.
const MOST_BATCH_BYTES: usize = 256 << 10;
/// A command that waited longer is answered `Busy` instead of being applied.
const DEADLINE: Duration = Duration::from_secs(10);
/// Acknowledgements alone wait this long for company.
const ACK_DELAY: Duration = Duration::from_secs(1);

/// One command and everybody who wants its answer.
pub(super) struct Waiting {
    pub(super) command: Command,
    pub(super) replies: Vec<Reply>,
    pub(super) deadline: Instant,
}

/// What the writer has to do next.
pub(super) enum Work {
    /// Apply these; `commands` may be empty when acknowledgements were due.
    Batch { commands: Vec<Waiting>, acks: BTreeMap<DeviceId, Pos> },
    /// Nothing came until the time given.
    Idle,
    /// The queue is empty and will stay so.
    Stopped,
}

/// A send as retries of it are recognised.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct SendKey(DeviceId, ChatId, N, Hash);

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Waiting>,
    /// Number of the first one waiting; numbers rise by one.
    first: u64,
    sends: HashMap<SendKey, u64>,
    bytes: usize,
    acks: BTreeMap<DeviceId, Pos>,
    acks_since: Option<Instant>,
    stopped: bool,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    ready: Condvar,
}

impl Queue {
    /// Queues a command, or joins the same send that still waits. Gives the reply back when there is no room.
    pub(super) fn submit(&self, command: Command, reply: Reply, now: Instant) -> Result<(), Reply> {
        let mut inner = self.lock();
        let key = send_key(&command);
        if let Some(waiting) = key.and_then(|key| inner.find(&key)) {
            waiting.replies.push(reply);
            waiting.deadline = now + DEADLINE;
            return Ok(());
        }
        let weight = command.weight();
        if inner.stopped || inner.waiting.len() >= MOST_WAITING || inner.bytes + weight > MOST_WAITING_BYTES {
            return Err(reply);
        }
        if let Some(key) = key {
            let number = inner.first + inner.waiting.len() as u64;
            inner.sends.insert(key, number);
        }
        inner.bytes += weight;
        inner.waiting.push_back(Waiting { command, replies: vec![reply], deadline: now + DEADLINE });
        self.ready.notify_one();
        Ok(())
    }

    /// Notes the highest acknowledgement of each device.
    pub(super) fn ack(&self, device: DeviceId, pos: Pos, now: Instant) {
        let mut inner = self.lock();
        let noted = inner.acks.entry(device).or_default();
        *noted = pos.max(*noted);
        if inner.acks_since.is_none() {
            inner.acks_since = Some(now);
            self.ready.notify_one();
        }
    }

    /// Lets the writer finish what waits and then stop; nothing more is taken.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.ready.notify_one();
    }

    /// Waits for work, at the longest until `until`.
    pub(super) fn next(&self, until: Instant) -> Work {
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            let acks_due = inner.acks_since.map(|since| since + ACK_DELAY);
            if !inner.waiting.is_empty() || acks_due.is_some_and(|due| due <= now) {
                return inner.take();
            }
            if inner.stopped {
                return if inner.acks.is_empty() { Work::Stopped } else { inner.take() };
            }
            if until <= now {
                return Work::Idle;
            }
            let wait = acks_due.map_or(until, |due| due.min(until)).saturating_duration_since(now);
            inner = self.ready.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn find(&mut self, key: &SendKey) -> Option<&mut Waiting> {
        let index = self.sends.get(key)?.checked_sub(self.first)?;
        self.waiting.get_mut(usize::try_from(index).ok()?)
    }

    fn take(&mut self) -> Work {
        let (mut commands, mut bytes) = (Vec::new(), 0);
        while commands.len() < MOST_BATCH && bytes < MOST_BATCH_BYTES {
            let Some(waiting) = self.waiting.pop_front() else { break };
            if let Some(key) = send_key(&waiting.command) {
                self.sends.remove(&key);
            }
            self.first += 1;
            bytes += waiting.command.weight();
            commands.push(waiting);
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        self.acks_since = None;
        Work::Batch { commands, acks: std::mem::take(&mut self.acks) }
    }
}

fn send_key(command: &Command) -> Option<SendKey> {
    match command {
        Command::Send(by, hash, send) => Some(SendKey(by.device, send.chat, send.n, *hash)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;

//! What waits for the writer: bounded, with retries joined and acknowledgements coalesced. Pure: the time is an argument.

use super::Reply;
use aside_protocol::{ChatId, DeviceId, Hash, N, Pos};
use aside_relay_core::Command;
use std::collections::{BTreeMap, HashMap, VecDeque};
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
pub(crate) struct Waiting {
    pub(crate) command: Command,
    pub(crate) replies: Vec<Reply>,
    pub(super) deadline: Instant,
}

/// What is applied together. There may be no commands, when acknowledgements were due.
pub struct Batch {
    pub(crate) commands: Vec<Waiting>,
    pub(crate) acks: BTreeMap<DeviceId, Pos>,
}

/// What there is to do.
pub enum Next {
    /// Apply this now.
    Batch(Batch),
    /// Nothing before then, if nothing comes.
    At(Instant),
    /// Nothing, if nothing comes.
    Nothing,
    /// Nothing ever again.
    Stopped,
}

/// A send as retries of it are recognised.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct SendKey(DeviceId, ChatId, N, Hash);

/// Commands and acknowledgements in the order they came.
#[derive(Default)]
pub struct Backlog {
    waiting: VecDeque<Waiting>,
    /// Number of the first one waiting; numbers rise by one.
    first: u64,
    sends: HashMap<SendKey, u64>,
    bytes: usize,
    acks: BTreeMap<DeviceId, Pos>,
    acks_since: Option<Instant>,
    stopped: bool,
}

impl Backlog {
    /// Queues a command, or joins the same send that still waits.
    ///
    /// # Errors
    /// The reply, when there is no room.
    pub fn submit(&mut self, command: Command, reply: Reply, now: Instant) -> Result<(), Reply> {
        let key = send_key(&command);
        if let Some(waiting) = key.and_then(|key| self.find(&key)) {
            waiting.replies.push(reply);
            waiting.deadline = now + DEADLINE;
            return Ok(());
        }
        let weight = command.weight();
        if self.stopped || self.waiting.len() >= MOST_WAITING || self.bytes + weight > MOST_WAITING_BYTES {
            return Err(reply);
        }
        if let Some(key) = key {
            let number = self.first + self.waiting.len() as u64;
            self.sends.insert(key, number);
        }
        self.bytes += weight;
        self.waiting.push_back(Waiting { command, replies: vec![reply], deadline: now + DEADLINE });
        Ok(())
    }

    /// Notes the highest acknowledgement of each device; says whether it is the first one to wait.
    pub fn ack(&mut self, device: DeviceId, pos: Pos, now: Instant) -> bool {
        let noted = self.acks.entry(device).or_default();
        *noted = pos.max(*noted);
        let first = self.acks_since.is_none();
        self.acks_since.get_or_insert(now);
        first
    }

    /// Takes nothing more from here on.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Takes out what has waited for too long, of what is first in line.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Waiting> {
        let mut overdue = Vec::new();
        while self.waiting.front().is_some_and(|waiting| waiting.deadline <= now) {
            let Some(waiting) = self.pop() else { break };
            self.bytes = self.bytes.saturating_sub(waiting.command.weight());
            overdue.push(waiting);
        }
        overdue
    }

    /// What there is to do now.
    pub fn next(&mut self, now: Instant) -> Next {
        let acks_due = self.acks_since.map(|since| since + ACK_DELAY);
        match acks_due {
            _ if !self.waiting.is_empty() => Next::Batch(self.take()),
            None if self.stopped => Next::Stopped,
            None => Next::Nothing,
            Some(due) if self.stopped || due <= now => Next::Batch(self.take()),
            Some(due) => Next::At(due),
        }
    }

    fn find(&mut self, key: &SendKey) -> Option<&mut Waiting> {
        let index = self.sends.get(key)?.checked_sub(self.first)?;
        self.waiting.get_mut(usize::try_from(index).ok()?)
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        if let Some(key) = send_key(&waiting.command) {
            self.sends.remove(&key);
        }
        self.first += 1;
        Some(waiting)
    }

    fn take(&mut self) -> Batch {
        let (mut commands, mut bytes) = (Vec::new(), 0);
        while commands.len() < MOST_BATCH && bytes < MOST_BATCH_BYTES {
            let Some(waiting) = self.pop() else { break };
            bytes += waiting.command.weight();
            commands.push(waiting);
        }
        self.bytes = self.bytes.saturating_sub(bytes);
        self.acks_since = None;
        Batch { commands, acks: std::mem::take(&mut self.acks) }
    }
}

fn send_key(command: &Command) -> Option<SendKey> {
    match command {
        Command::Send(by, hash, send) => Some(SendKey(by.device, send.chat, send.n, *hash)),
        _ => None,
    }
}

//! The thread that applies a partition's log to this node's database, answers what this node asked for, and pushes to its
//! connections.

use super::pending::Pending;
use crate::guard::AbortOnPanic;
use crate::hub::Hub;
use crate::log::{Reply, answer_all, unavailable};
use crate::mailbox::Wakes;
use aside_protocol::Hash;
use aside_protocol::frame::GoodbyeReason;
use aside_relay_core::record::{Applied, Entry, Record};
use aside_relay_core::{Command, Core, CoreError, Outcome};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Records read ahead of what is applied.
const AHEAD: usize = 32;
/// Pause before a record is tried again that the disk did not take.
const AGAIN: Duration = Duration::from_millis(500);
/// Pause before it is looked again how far the directory is.
const SOON: Duration = Duration::from_millis(2);

/// A record and where it stands.
pub(super) struct Logged {
    pub(super) position: u64,
    pub(super) record: Record,
}

/// How far this node is, for everybody in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reached {
    /// The last position applied.
    pub(super) position: u64,
    /// Who appended it, and in which reign.
    pub(super) owner: Option<(String, u64)>,
    /// Commands applied since the start.
    pub(super) commands: u64,
    /// Whether retention has more to delete.
    pub(super) more: bool,
    /// Whether the database took what came last.
    pub(super) sound: bool,
    /// The last state hash that was wanted, and at which position.
    pub(super) checked: Option<(u64, Hash)>,
    /// Of the directory: how many changes it has numbered.
    pub(super) changes: u64,
    /// Of the others: up to which of those they have learned.
    pub(super) learned: u64,
}

/// The thread's handle.
pub(super) struct Replica {
    records: Mutex<Option<mpsc::Sender<Logged>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    reached: watch::Receiver<Reached>,
    ending: Arc<AtomicBool>,
}

impl Replica {
    /// Starts it over a database. `directory` is how far this node is with that one, unless this is it.
    pub(super) fn start(
        core: Core,
        hub: Arc<Hub>,
        pending: Arc<Mutex<Pending>>,
        directory: Option<watch::Receiver<Reached>>,
    ) -> Result<Self, CoreError> {
        let view = core.view();
        let (position, changes, learned) = (view.applied()?, view.changes()?, view.learned()?);
        let (records, coming) = mpsc::channel(AHEAD);
        let (told, reached) = watch::channel(Reached { position, changes, learned, sound: true, ..Reached::default() });
        let ending = Arc::new(AtomicBool::new(false));
        let work = Work { core, hub, pending, directory, ending: ending.clone(), told };
        let name = format!("replica-{}", work.core.partition().0);
        let spawned = thread::Builder::new().name(name).spawn(move || work.run(coming));
        let thread = spawned.map_err(|error| CoreError::Thread(error.to_string()))?;
        Ok(Self { records: Mutex::new(Some(records)), thread: Mutex::new(Some(thread)), reached, ending })
    }

    /// Where records go, in the order of their positions.
    pub(super) fn records(&self) -> Option<mpsc::Sender<Logged>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How far it is.
    pub(super) fn reached(&self) -> watch::Receiver<Reached> {
        self.reached.clone()
    }

    /// Applies what has come, checkpoints, and ends. Blocks.
    pub(super) fn stop(&self) {
        self.ending.store(true, Ordering::Relaxed);
        drop(self.records.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the replica's thread panicked");
        }
    }
}

struct Work {
    core: Core,
    hub: Arc<Hub>,
    pending: Arc<Mutex<Pending>>,
    directory: Option<watch::Receiver<Reached>>,
    ending: Arc<AtomicBool>,
    told: watch::Sender<Reached>,
}

impl Work {
    fn run(mut self, mut coming: mpsc::Receiver<Logged>) {
        let _guard = AbortOnPanic;
        while let Some(logged) = coming.blocking_recv() {
            if !self.directory_has(&logged.record) {
                break;
            }
            self.take(&logged);
        }
        if let Err(error) = self.core.checkpoint() {
            tracing::warn!(%error, "the last checkpoint failed; the next start makes up for it");
        }
    }

    /// Waits until this node has of the directory what a record builds on: who gets its envelopes here may ask for that at
    /// once. `false`: the node ends first, and reads the record again at its next start.
    fn directory_has(&self, record: &Record) -> bool {
        let (Some(directory), (changes, position)) = (&self.directory, needs(record)) else { return true };
        loop {
            let there = {
                let reached = directory.borrow();
                reached.changes >= changes && reached.position >= position
            };
            if there || self.ending.load(Ordering::Relaxed) {
                return there;
            }
            thread::sleep(SOON);
        }
    }

    fn take(&mut self, logged: &Logged) {
        let Some(applied) = self.apply(logged) else { return };
        let checked = logged.record.check.then(|| self.core.state_hash().ok()).flatten();
        let retains = |(entry, _): &(&Entry, &Option<Outcome>)| matches!(entry.command, Command::Retain { .. });
        let retained = logged.record.entries.iter().zip(&applied).filter(retains);
        let retained = retained.filter_map(|(_, outcome)| outcome.as_ref()).map(|outcome| outcome.more).next_back();
        let view = self.core.view();
        let changed = view.changes().and_then(|changes| Ok((changes, view.learned()?)));
        self.told.send_modify(|reached| {
            reached.position = logged.position;
            reached.owner = Some((logged.record.owner.clone(), logged.record.reign));
            reached.commands += logged.record.entries.len() as u64;
            reached.sound = true;
            if let Ok(changed) = changed {
                (reached.changes, reached.learned) = changed;
            }
            if let Some(more) = retained {
                reached.more = more;
            }
            if let Some(hash) = checked {
                reached.checked = Some((logged.position, hash));
            }
        });
        self.hand_out(&logged.record, applied);
    }

    /// Tries until the database takes it: a replica must not go on without.
    fn apply(&mut self, logged: &Logged) -> Option<Applied> {
        let mut failing = false;
        loop {
            match self.core.apply_at(logged.position, &logged.record) {
                Ok(applied) => return applied,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::error!(%error, position = logged.position, "nothing can be stored; trying again");
                        self.told.send_modify(|reached| reached.sound = false);
                    }
                    if self.ending.load(Ordering::Relaxed) {
                        return None;
                    }
                    thread::sleep(AGAIN);
                }
            }
        }
    }

    /// Answers come before pushes, as with a relay alone.
    fn hand_out(&self, record: &Record, applied: Applied) {
        let mut wakes = Wakes::default();
        let replies: Vec<Vec<Reply>> = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            record.entries.iter().map(|entry| pending.take(entry)).collect()
        };
        for (outcome, replies) in applied.iter().zip(replies) {
            // Passed over: it stands in the log behind a later one of this node, so it was lost on its way before.
            let answer = outcome.as_ref().map_or_else(unavailable, |outcome| outcome.answer.clone());
            answer_all(replies.into_iter(), &answer, &mut wakes);
        }
        for outcome in applied.into_iter().flatten() {
            self.push(outcome, &mut wakes);
        }
    }

    fn push(&self, outcome: Outcome, wakes: &mut Wakes) {
        outcome.deliveries.into_iter().for_each(|delivery| self.hub.push(delivery, wakes));
        // A removed device that comes back is told at its login that it was removed.
        outcome.revoked.iter().for_each(|device| self.hub.disconnect(device, GoodbyeReason::ShuttingDown));
    }
}

/// Up to which change, and which position of its log, a record builds on the directory.
fn needs(record: &Record) -> (u64, u64) {
    record.entries.iter().fold((0, 0), |(changes, position), entry| match &entry.command {
        Command::Learn { changes: learned } => {
            (learned.last().map_or(changes, |change| change.number.max(changes)), position)
        }
        Command::Pointing { since, .. } => (changes, position.max(*since)),
        _ => (changes, position),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aside_protocol::{Body, Millis, PublicKey};
    use aside_relay_core::command::Change;

    fn record(commands: Vec<Command>) -> Record {
        let entries = commands.into_iter().zip(1..).map(|(command, id)| Entry { origin: 1, id, command }).collect();
        Record { version: 2, owner: String::new(), reign: 1, time: Millis(1), check: false, entries }
    }

    fn learn(numbers: &[u64]) -> Command {
        let (root, list) = (PublicKey([1; 32]), Body::from(Vec::new()));
        let change = |number: &u64| Change { number: *number, root, list: list.clone() };
        Command::Learn { changes: numbers.iter().map(change).collect() }
    }

    #[test]
    fn a_record_builds_on_the_last_that_it_teaches_and_on_the_blobs_it_points_to() {
        let pointing =
            |since| Command::Pointing { blobs: Vec::new(), since, command: Box::new(Command::Retain { limit: 1 }) };
        assert_eq!(needs(&record(vec![Command::Retain { limit: 1 }])), (0, 0));
        let all = vec![learn(&[7, 8]), pointing(5), learn(&[9]), pointing(3)];
        assert_eq!(needs(&record(all)), (9, 5));
    }
}

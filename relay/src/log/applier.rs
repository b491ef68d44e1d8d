//! One batch at a time: committed, then answered, then pushed, in the order of the log. No thread, no clock.

use super::Reply;
use super::backlog::{Batch, Waiting};
use crate::hub::Hub;
use crate::mailbox::Wakes;
use aside_protocol::frame::GoodbyeReason;
use aside_protocol::refusal::RetryAfter;
use aside_protocol::request::Answer;
use aside_protocol::{Millis, Refusal};
use aside_relay_core::{Command, Core, CoreError, Outcome, Stamped};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Rows each retention command looks at: a few milliseconds of the writer's time.
const RETAIN_ROWS: u32 = 500;
/// What a client that was answered `Busy` or `Unavailable` waits before it tries again, in milliseconds.
const RETRY_AFTER_MS: u64 = 2_000;

/// Gets every applied batch.
pub type Record = Box<dyn FnMut(&[Stamped]) -> io::Result<()> + Send>;

/// Owns the core. Nothing leaves it before it is durable.
pub struct Applier {
    core: Core,
    hub: Arc<Hub>,
    record: Option<Record>,
    /// Whether the last batch failed, so that a lasting failure is logged once.
    failing: bool,
    counters: Counters,
}

/// What was counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Commands applied.
    pub commands: u64,
    /// Transactions that were made durable, each with one sync of the write-ahead log. Checkpoints are not counted: one
    /// about every thousand pages, with two syncs each.
    pub syncs: u64,
}

/// A batch that is durable, or failed as a whole, and what is still to be said about it.
pub struct Committed {
    outcomes: Result<Vec<Outcome>, CoreError>,
    replies: Vec<Vec<Reply>>,
}

impl Applier {
    /// One over a core whose deliveries go to a hub.
    pub fn new(core: Core, hub: Arc<Hub>, record: Option<Record>) -> Self {
        Self { core, hub, record, failing: false, counters: Counters::default() }
    }

    /// The state.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// What was counted so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Makes a batch durable, stamped with `time`. What waited past its deadline is answered `Busy` instead.
    pub fn commit(&mut self, batch: Batch, now: Instant, time: Millis) -> Committed {
        let (alive, late): (Vec<Waiting>, Vec<Waiting>) = batch.commands.into_iter().partition(|c| c.deadline > now);
        answer_all(late.into_iter().flat_map(|waiting| waiting.replies), &busy(), &mut Wakes::default());
        let ack_count = batch.acks.len();
        let acks = batch.acks.into_iter().map(|(device, pos)| Command::Ack { device, pos });
        let (commands, replies): (Vec<Command>, Vec<Vec<Reply>>) =
            alive.into_iter().map(|waiting| (waiting.command, waiting.replies)).unzip();
        let stamped: Vec<Stamped> = acks.chain(commands).map(|command| Stamped { time, command }).collect();
        if stamped.is_empty() {
            return Committed { outcomes: Ok(Vec::new()), replies };
        }
        let outcomes = self.apply(&stamped, !replies.is_empty());
        Committed { outcomes: outcomes.map(|outcomes| outcomes.into_iter().skip(ack_count).collect()), replies }
    }

    /// Answers whoever asked, then pushes to whoever is connected. Sessions are woken when all of it lies in their
    /// mailboxes, so that each writes to its network once for the whole batch.
    pub fn hand_out(&self, committed: Committed) {
        let Committed { outcomes, replies } = committed;
        let mut wakes = Wakes::default();
        let Ok(mut outcomes) = outcomes else {
            return answer_all(replies.into_iter().flatten(), &unavailable(), &mut wakes);
        };
        for (outcome, replies) in outcomes.iter().zip(replies) {
            answer_all(replies.into_iter(), &outcome.answer, &mut wakes);
        }
        for outcome in &mut outcomes {
            outcome.deliveries.drain(..).for_each(|delivery| self.hub.push(delivery, &mut wakes));
            // A removed device that comes back is told at its login that it was removed.
            outcome.revoked.iter().for_each(|device| self.hub.disconnect(device, GoodbyeReason::ShuttingDown));
        }
    }

    /// Deletes a bounded amount of what nobody needs any more; says whether there is more.
    pub fn retain(&mut self, time: Millis) -> bool {
        let batch = [Stamped { time, command: Command::Retain { limit: RETAIN_ROWS } }];
        self.apply(&batch, false).is_ok_and(|outcomes| outcomes.iter().any(|outcome| outcome.more))
    }

    /// Applies commands as [`Core::apply`] does, and notes that it did.
    pub fn apply(&mut self, batch: &[Stamped], durable: bool) -> Result<Vec<Outcome>, CoreError> {
        let result = self.core.apply(batch, durable);
        match &result {
            Ok(_) if self.failing => tracing::warn!("the database accepts writes again"),
            Err(error) if !self.failing => tracing::error!(%error, "nothing can be stored; retrying as commands come"),
            _ => {}
        }
        self.failing = result.is_err();
        if result.is_ok() {
            self.counters.commands += batch.len() as u64;
            self.counters.syncs += u64::from(durable);
        }
        if let (Ok(_), Some(record)) = (&result, &mut self.record)
            && let Err(error) = record(batch)
        {
            tracing::error!(%error, "the command record ends here");
            self.record = None;
        }
        result
    }
}

/// Gives an answer to everybody who waits for it.
pub(crate) fn answer_all(replies: impl Iterator<Item = Reply>, answer: &Answer, wakes: &mut Wakes) {
    replies.for_each(|reply| reply(answer.clone(), wakes));
}

/// The answer to what was not applied because too much waits.
pub fn busy() -> Answer {
    Answer::Refused(Refusal::Busy(RetryAfter { retry_after_ms: RETRY_AFTER_MS }))
}

/// The answer to what may or may not have been applied: to be sent again.
pub(crate) fn unavailable() -> Answer {
    Answer::Refused(Refusal::Unavailable(RetryAfter { retry_after_ms: RETRY_AFTER_MS }))
}

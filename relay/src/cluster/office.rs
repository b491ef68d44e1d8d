//! One reign of a node over a partition: what comes is appended, the lease is kept, what is due is done, tools are answered.

use super::asking::{Asked, DONE};
use super::learning::Learning;
use super::lease::Lease;
use super::nats::Appended;
use super::part::Part;
use super::reign::Reign;
use super::snapshots;
use aside_relay_core::Command;
use aside_relay_core::record::{Entry, Record, Submission};
use async_nats::{Message, Subject, Subscriber};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::Interval;

/// A partition that comes back after it was handed over without having been taken is kept for so long.
const HAND_AGAIN: Duration = Duration::from_secs(60);
/// How often retention looks for something to delete.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// The same, while there is more to delete.
const RETAIN_MORE: Duration = Duration::from_secs(1);
/// Rows each retention command looks at: some ten milliseconds of every node's time.
const RETAIN_ROWS: u32 = 5_000;

/// Appends a record behind the log's last one; none if something else stands there.
pub(super) async fn append(part: &Part, last: u64, record: &Record) -> Option<u64> {
    match record.encode() {
        Ok(bytes) => match part.log.append(last, &bytes.into()).await {
            Appended::At(position) => Some(position),
            Appended::Stale => None,
        },
        Err(error) => {
            tracing::error!(%error, "a record cannot be written down");
            Some(last)
        }
    }
}

/// Why a reign ends.
pub(super) enum End {
    /// This node is to append no more, or cannot store what it appends.
    Drained,
    /// That node is to append.
    Moved(String),
    /// Another node has appended, or the lease could not be kept.
    Lost,
}

/// What a reign waits for.
enum Came {
    Renewal,
    Commands(Submission),
    Question(Message),
}

/// What comes next in a reign.
enum Turn {
    Nothing,
    Append(Record),
    /// These, once the partition has learned everything up to a change of the directory.
    Do(Vec<Entry>, u64),
    End(End),
}

/// What a node has while it appends.
pub(super) struct Office {
    pub(super) part: Arc<Part>,
    pub(super) lease: Lease,
    pub(super) reign: Reign,
    pub(super) learning: Learning,
    /// The log's end.
    pub(super) last: u64,
    pub(super) asked: Subscriber,
    pub(super) renewals: Interval,
    /// When retention was last asked for; a reign begins with it.
    pub(super) retained: Option<Instant>,
    pub(super) draining: watch::Receiver<bool>,
}

impl Office {
    /// Appends what comes until the reign ends; why it does.
    pub(super) async fn hold(&mut self, batches: &mut mpsc::Receiver<Submission>) -> End {
        loop {
            let appended = match self.turn(batches).await {
                Turn::Nothing => true,
                Turn::Append(record) => self.append(record).await,
                Turn::Do(entries, known) => match self.learn(known).await {
                    Some(true) => self.append(self.reign.record(entries)).await,
                    // They come again.
                    Some(false) => true,
                    None => false,
                },
                Turn::End(end) => return end,
            };
            if !appended {
                return End::Lost;
            }
        }
    }

    /// Gives the lease to whoever is to have it next, or back.
    pub(super) async fn bequeath(self) {
        let (node, now) = (&self.part.node, Instant::now());
        let heir = node.places().heir(self.part.id, &node.name, now).map(str::to_owned);
        match heir {
            Some(heir) => self.lease.hand_to(&heir).await,
            None => self.lease.release().await,
        }
    }

    /// `false`: something else stands there.
    async fn append(&mut self, record: Record) -> bool {
        let appended = append(&self.part, self.last, &record).await;
        appended.map(|position| self.last = position).is_some()
    }

    /// Lets the partition learn everything up to a change of the directory; whether it has. None: another node appends.
    async fn learn(&mut self, known: u64) -> Option<bool> {
        loop {
            match self.learning.has(&self.part, known).await {
                Some(true) => return Some(true),
                Some(false) => {}
                None => return Some(false),
            }
            let Some(command) = self.learning.next(&self.part, known).await else { return Some(false) };
            let entry = self.reign.upkeep(command);
            if !self.append(self.reign.record(vec![entry])).await {
                return None;
            }
        }
    }

    async fn turn(&mut self, batches: &mut mpsc::Receiver<Submission>) -> Turn {
        let came = tokio::select! {
            biased;
            // Without a sender the node is gone already.
            _ = self.draining.wait_for(|draining| *draining) => return Turn::End(End::Drained),
            _ = self.renewals.tick() => Came::Renewal,
            Some(first) = batches.recv() => Came::Commands(first),
            Some(message) = self.asked.next() => Came::Question(message),
        };
        match came {
            Came::Renewal => self.renew().await,
            Came::Question(message) => self.answer(message).await,
            Came::Commands(first) => match self.reign.gather(first, batches) {
                (entries, _) if entries.is_empty() => Turn::Nothing,
                (entries, known) => Turn::Do(entries, known),
            },
        }
    }

    /// Keeps the lease, or gives it to the node that is to have it. Now and then there is something to learn, or retention is
    /// due.
    async fn renew(&mut self) -> Turn {
        if !self.lease.renew().await || self.is_overtaken() {
            return Turn::End(End::Lost);
        }
        if !self.part.reached.borrow().sound {
            // Whoever cannot store what it appends could not let the partition learn, nor tell what it holds.
            return Turn::End(End::Drained);
        }
        let node = &self.part.node;
        let handed = *self.part.handed();
        let may_hand = handed.is_none_or(|handed| handed.elapsed() >= HAND_AGAIN);
        let better = node.places().better(self.part.id, &node.name, self.last, Instant::now()).map(str::to_owned);
        if let Some(better) = better.filter(|_| may_hand) {
            return Turn::End(End::Moved(better));
        }
        if self.learning.is_due()
            && let Some(command) = self.learning.next(&self.part, 0).await
        {
            let entry = self.reign.upkeep(command);
            return Turn::Append(self.reign.record(vec![entry]));
        }
        let pause = if self.part.reached.borrow().more { RETAIN_MORE } else { RETAIN_EVERY };
        if self.retained.is_some_and(|retained| retained.elapsed() < pause) {
            return Turn::Nothing;
        }
        self.retained = Some(Instant::now());
        let entry = self.reign.upkeep(Command::Retain { limit: RETAIN_ROWS });
        Turn::Append(self.reign.record(vec![entry]))
    }

    /// Whether another node's record stands behind this one's last, be it that it appends no more itself: everybody sends to
    /// that one, so nothing would come here to find it out with.
    fn is_overtaken(&self) -> bool {
        let reached = self.part.reached.borrow();
        reached.position > self.last && !reached.owner.as_ref().is_some_and(|owner| self.reign.is(owner))
    }

    /// Does what a tool asks.
    async fn answer(&mut self, message: Message) -> Turn {
        // A node that has come and does not know who appends: any record tells it.
        let Some(to) = message.reply else { return Turn::Append(self.reign.record(Vec::new())) };
        let Some(asked) = Asked::read(&message.payload) else { return Turn::Nothing };
        let nats = &self.part.node.nats;
        match asked {
            Asked::Who => nats.answer(to, self.part.node.name.clone()).await,
            Asked::Snapshot => drop(tokio::spawn(snapshot(self.part.clone(), to))),
            Asked::Verify => {
                nats.answer(to, (self.last + 1).to_string()).await;
                return Turn::Append(Record { check: true, ..self.reign.record(Vec::new()) });
            }
            Asked::Move(node) => {
                nats.answer(to, DONE.to_owned()).await;
                if node != self.part.node.name {
                    return Turn::End(End::Moved(node));
                }
            }
        }
        Turn::Nothing
    }
}

/// Takes a snapshot for a tool, and tells it where it stands.
async fn snapshot(part: Arc<Part>, to: Subject) {
    let told = match snapshots::take(&part).await {
        Ok(position) => position.to_string(),
        Err(why) => why.to_string(),
    };
    part.node.nats.answer(to, told).await;
}

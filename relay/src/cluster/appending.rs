//! The owner's task: takes the lease, appends what comes, and stops when the log or the lease says that another one does.

use super::asking::{Asked, DONE};
use super::lease::Lease;
use super::log::Node;
use super::nats::Appended;
use super::reign::Reign;
use super::snapshots;
use aside_relay_core::Command;
use aside_relay_core::record::{Record, Submission};
use async_nats::{Message, Subject, Subscriber};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

/// How often a node that has no lease tries to take it.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// How often retention looks for something to delete.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// The same, while there is more to delete.
const RETAIN_MORE: Duration = Duration::from_secs(1);
/// Rows each retention command looks at: some ten milliseconds of every node's time.
const RETAIN_ROWS: u32 = 5_000;

/// Takes the lease whenever nobody else has it, and appends while it lasts. Ends when the node is drained.
pub(super) async fn rule(node: Arc<Node>, mut batches: mpsc::Receiver<Submission>) {
    let mut draining = node.draining.subscribe();
    loop {
        if *draining.borrow_and_update() {
            return;
        }
        // Nobody should have sent these here: they are sent again to whoever appends.
        while batches.try_recv().is_ok() {}
        match Lease::take(&node.nats, &node.name).await {
            Ok(Some(lease)) => govern(&node, lease, &mut batches).await,
            Ok(None) => {}
            Err(why) => tracing::debug!(%why, "the lease cannot be asked for"),
        }
        tokio::select! {
            () = sleep(TRY_EVERY) => {}
            _ = draining.changed() => {}
        }
    }
}

/// One reign, from the first record to the last; then the lease goes to whom it is due.
async fn govern(node: &Arc<Node>, lease: Lease, batches: &mut mpsc::Receiver<Submission>) {
    let begun = match (Reign::new(&node.name), node.nats.asked().await) {
        (Some(reign), Ok(asked)) => begin(node, &reign).await.map(|last| (reign, asked, last)),
        _ => None,
    };
    let Some((reign, asked, last)) = begun else { return lease.release().await };
    tracing::info!(node = node.name, position = last, "this node appends now");
    let mut renewals = interval(Lease::EVERY);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let draining = node.draining.subscribe();
    let mut office = Office { node: node.clone(), lease, reign, last, asked, renewals, retained: None, draining };
    let end = office.hold(batches).await;
    match end {
        End::Drained => office.lease.release().await,
        End::Moved(to) => office.lease.hand_to(&to).await,
        End::Lost => tracing::warn!("another node appends; this one stops"),
    }
}

/// Appends an empty record, by which everybody learns who appends from now on. It comes after everything that an owner
/// before still had on its way.
async fn begin(node: &Node, reign: &Reign) -> Option<u64> {
    for _ in 0..20 {
        match node.nats.bounds().await {
            Ok((_, last)) => match append(node, last, &reign.record(Vec::new())).await {
                Some(position) => return Some(position),
                None => continue,
            },
            Err(why) => tracing::debug!(%why, "the log's end is not known"),
        }
        sleep(Duration::from_millis(100)).await;
    }
    None
}

async fn append(node: &Node, last: u64, record: &Record) -> Option<u64> {
    match record.encode() {
        Ok(bytes) => match node.nats.append(last, &bytes.into()).await {
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
enum End {
    /// This node is to append no more.
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
    End(End),
}

/// What a node has while it appends.
struct Office {
    node: Arc<Node>,
    lease: Lease,
    reign: Reign,
    /// The log's end.
    last: u64,
    asked: Subscriber,
    renewals: Interval,
    /// When retention was last asked for; a reign begins with it.
    retained: Option<Instant>,
    draining: watch::Receiver<bool>,
}

impl Office {
    async fn hold(&mut self, batches: &mut mpsc::Receiver<Submission>) -> End {
        loop {
            let record = match self.turn(batches).await {
                Turn::Nothing => continue,
                Turn::Append(record) => record,
                Turn::End(end) => return end,
            };
            match append(&self.node, self.last, &record).await {
                Some(position) => self.last = position,
                None => return End::Lost,
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
                entries if entries.is_empty() => Turn::Nothing,
                entries => Turn::Append(self.reign.record(entries)),
            },
        }
    }

    /// Keeps the lease; now and then retention is due with it.
    async fn renew(&mut self) -> Turn {
        if !self.lease.renew().await || self.is_overtaken() {
            return Turn::End(End::Lost);
        }
        let pause = if self.node.reached.borrow().more { RETAIN_MORE } else { RETAIN_EVERY };
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
        let reached = self.node.reached.borrow();
        reached.position > self.last && !reached.owner.as_ref().is_some_and(|owner| self.reign.is(owner))
    }

    /// Does what a tool asks.
    async fn answer(&mut self, message: Message) -> Turn {
        // A node that has come and does not know who appends: any record tells it.
        let Some(to) = message.reply else { return Turn::Append(self.reign.record(Vec::new())) };
        let Some(asked) = Asked::read(&message.payload) else { return Turn::Nothing };
        let nats = &self.node.nats;
        match asked {
            Asked::Who => nats.answer(to, self.node.name.clone()).await,
            Asked::Snapshot => drop(tokio::spawn(snapshot(self.node.clone(), to))),
            Asked::Verify => {
                nats.answer(to, (self.last + 1).to_string()).await;
                return Turn::Append(Record { check: true, ..self.reign.record(Vec::new()) });
            }
            Asked::Move(node) => {
                nats.answer(to, DONE.to_owned()).await;
                if node != self.node.name {
                    return Turn::End(End::Moved(node));
                }
            }
        }
        Turn::Nothing
    }
}

/// Takes a snapshot for a tool, and tells it where it stands.
async fn snapshot(node: Arc<Node>, to: Subject) {
    let told = match snapshots::take(&node).await {
        Ok(position) => position.to_string(),
        Err(why) => why.to_string(),
    };
    node.nats.answer(to, told).await;
}

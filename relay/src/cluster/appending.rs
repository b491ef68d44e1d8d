//! An owner's task: takes a partition's lease, appends what comes, and stops when the log or the lease says that another node
//! does, or is to.

use super::asking::{Asked, DONE};
use super::learning::Learning;
use super::lease::Lease;
use super::nats::{Appended, NatsError};
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
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

/// How often a node that has no lease tries to take it.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// How long a lease is nobody's before a node takes it whose it is not to be.
const VACANT: Duration = Duration::from_millis(1_500);
/// How often retention looks for something to delete.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// The same, while there is more to delete.
const RETAIN_MORE: Duration = Duration::from_secs(1);
/// Rows each retention command looks at: some ten milliseconds of every node's time.
const RETAIN_ROWS: u32 = 5_000;

/// Takes the lease whenever nobody else has it, and appends while it lasts. Ends when the node is drained.
pub(super) async fn rule(part: Arc<Part>, mut batches: mpsc::Receiver<Submission>) {
    let mut draining = part.node.draining.subscribe();
    let mut vacancy = Vacancy::default();
    loop {
        if *draining.borrow_and_update() {
            return;
        }
        // Nobody should have sent these here: they are sent again to whoever appends.
        while batches.try_recv().is_ok() {}
        match vacancy.take(&part).await {
            Ok(Some(lease)) => govern(&part, lease, &mut batches).await,
            Ok(None) => {}
            Err(why) => tracing::debug!(%why, "the lease cannot be asked for"),
        }
        tokio::select! {
            () = sleep(TRY_EVERY) => {}
            () = part.vacated.notified() => {}
            _ = draining.changed() => {}
        }
    }
}

/// Since when a lease is nobody's.
#[derive(Default)]
struct Vacancy(Option<Instant>);

impl Vacancy {
    /// Takes the lease if it is to be this node's, or if whose it is to be does not take it. A node that cannot store takes none.
    async fn take(&mut self, part: &Part) -> Result<Option<Lease>, NatsError> {
        let (node, id) = (&part.node, part.id);
        if !part.reached.borrow().sound {
            return Ok(None);
        }
        let own = node.places().of(id, Instant::now()) == Some(node.name.as_str());
        let vacant = match Lease::holder(&node.nats, id).await? {
            Some(holder) if holder == node.name => VACANT,
            Some(_) => {
                self.0 = None;
                return Ok(None);
            }
            None => self.0.get_or_insert_with(Instant::now).elapsed(),
        };
        if !own && vacant < VACANT {
            return Ok(None);
        }
        self.0 = None;
        Lease::take(&node.nats, id, &node.name).await
    }
}

/// One reign, from the first record to the last; then the lease goes to whom it is due.
async fn govern(part: &Arc<Part>, lease: Lease, batches: &mut mpsc::Receiver<Submission>) {
    let begun = match (Reign::new(&part.node.name), part.log.asked().await) {
        (Some(reign), Ok(asked)) => begin(part, &reign).await.map(|last| (reign, asked, last)),
        _ => None,
    };
    let Some((reign, asked, last)) = begun else { return lease.release().await };
    let (node, partition) = (&part.node.name, part.id.0);
    tracing::info!(node, partition, position = last, "this node appends now");
    let mut renewals = interval(Lease::EVERY);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (draining, learning) = (part.node.draining.subscribe(), Learning::new(part, last));
    let (part, retained) = (part.clone(), None);
    let mut office = Office { part, lease, reign, learning, last, asked, renewals, retained, draining };
    let end = office.hold(batches).await;
    match end {
        End::Drained => office.bequeath().await,
        End::Moved(to) => office.lease.hand_to(&to).await,
        End::Lost => tracing::warn!(partition, "another node appends; this one stops"),
    }
}

/// Appends an empty record, by which everybody learns who appends from now on. It comes after everything that an owner
/// before still had on its way.
async fn begin(part: &Part, reign: &Reign) -> Option<u64> {
    for _ in 0..20 {
        match part.log.bounds().await {
            Ok((_, last)) => match append(part, last, &reign.record(Vec::new())).await {
                Some(position) => return Some(position),
                None => continue,
            },
            Err(why) => tracing::debug!(%why, "the log's end is not known"),
        }
        sleep(Duration::from_millis(100)).await;
    }
    None
}

async fn append(part: &Part, last: u64, record: &Record) -> Option<u64> {
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
enum End {
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
struct Office {
    part: Arc<Part>,
    lease: Lease,
    reign: Reign,
    learning: Learning,
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
    async fn bequeath(self) {
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
        if let Some(better) = node.places().better(self.part.id, &node.name, self.last, Instant::now()) {
            return Turn::End(End::Moved(better.to_owned()));
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

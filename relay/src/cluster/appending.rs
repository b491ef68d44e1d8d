//! The owner's task: takes the lease, appends what comes, and stops when the log or the lease says that another one does.

use super::lease::Lease;
use super::log::Node;
use super::nats::Appended;
use super::{snapshots, tools};
use crate::clock;
use aside_protocol::Hash;
use aside_relay_core::Command;
use aside_relay_core::record::{Entry, Record, Submission, VERSION};
use async_nats::Subject;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often a node that has no lease tries to take it.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// How often retention looks for something to delete.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// The same, while there is more to delete.
const RETAIN_MORE: Duration = Duration::from_secs(1);
/// Rows each retention command looks at: some ten milliseconds of every node's time.
const RETAIN_ROWS: u32 = 5_000;
/// Bytes of bodies, and commands, of a record, past which nothing more is put into it.
const FULL: (usize, usize) = (256 << 10, 2_000);

/// Takes the lease whenever nobody has it, and appends while it lasts.
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

/// One reign.
async fn govern(node: &Arc<Node>, mut lease: Lease, batches: &mut mpsc::Receiver<Submission>) {
    let mut drawn = [0; 8];
    if getrandom::fill(&mut drawn).is_err() {
        return lease.release().await;
    }
    let mut reign = Reign { owner: node.name.clone(), number: u64::from_be_bytes(drawn) >> 1, upkeep: 0 };
    let Some(mut last) = begin(node, &reign).await else { return lease.release().await };
    tracing::info!(node = node.name, position = last, "this node appends now");
    let mut draining = node.draining.subscribe();
    let (mut renewals, mut retained) = (interval(Lease::EVERY), Instant::now());
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let Ok(mut asked) = node.nats.asked().await else { return lease.release().await };
    loop {
        let record = tokio::select! {
            biased;
            () = drained(&mut draining) => break lease.release().await,
            _ = renewals.tick() => match lease.renew().await {
                true if retained.elapsed() < pause(node) => continue,
                true => {
                    retained = Instant::now();
                    let entry = reign.upkeep(Command::Retain { limit: RETAIN_ROWS });
                    reign.record(vec![entry])
                }
                false => {
                    tracing::warn!("the lease is lost; another node appends");
                    break;
                }
            },
            Some(first) = batches.recv() => match reign.gather(first, batches) {
                entries if entries.is_empty() => continue,
                entries => reign.record(entries),
            },
            Some(message) = asked.next() => match message.reply {
                // A node that has come and does not know who appends: any record tells it.
                None => reign.record(Vec::new()),
                Some(to) if message.payload.as_ref() == tools::SNAPSHOT.as_bytes() => {
                    tokio::spawn(snapshot(node.clone(), to));
                    continue;
                }
                Some(to) => {
                    node.nats.answer(to, (last + 1).to_string()).await;
                    Record { check: true, ..reign.record(Vec::new()) }
                }
            },
        };
        match append(node, last, &record).await {
            Some(position) => last = position,
            None => {
                tracing::warn!("another node appends; this one stops");
                break;
            }
        }
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

/// How long retention waits.
fn pause(node: &Node) -> Duration {
    if node.reached.borrow().more { RETAIN_MORE } else { RETAIN_EVERY }
}

/// Waits until this node is to stop.
async fn drained(draining: &mut watch::Receiver<bool>) {
    // Without a sender the node is gone already.
    let _ = draining.wait_for(|draining| *draining).await;
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

/// One time of appending, from the first record to the last.
struct Reign {
    owner: String,
    number: u64,
    /// Commands of its own so far, which count under its number.
    upkeep: u64,
}

impl Reign {
    fn record(&self, entries: Vec<Entry>) -> Record {
        let (owner, reign) = (self.owner.clone(), self.number);
        Record { version: VERSION, owner, reign, time: clock::wall(), check: false, entries }
    }

    /// What nobody asked for.
    fn upkeep(&mut self, command: Command) -> Entry {
        self.upkeep += 1;
        Entry { origin: self.number, id: self.upkeep, command }
    }

    /// As much as waits, up to what a record holds. What was meant for another reign comes again.
    fn gather(&self, first: Submission, batches: &mut mpsc::Receiver<Submission>) -> Vec<Entry> {
        let (mut entries, mut bytes, mut next) = (Vec::new(), 0, Some(first));
        while let Some(part) = next.take() {
            if part.reign == self.number {
                bytes += part.entries.iter().map(|entry| entry.command.weight()).sum::<usize>();
                entries.extend(part.entries);
            }
            if bytes < FULL.0 && entries.len() < FULL.1 {
                next = batches.try_recv().ok();
            }
        }
        entries
    }
}

/// How a state hash is told to the others.
pub(super) fn told(position: u64, hash: &Hash) -> String {
    format!("{position} {}", hash.to_hex())
}

//! The owner's task: takes the lease, appends what comes, and stops when the log or the lease says that another one does.

use super::lease::Lease;
use super::log::Node;
use super::nats::Appended;
use crate::clock;
use aside_protocol::Hash;
use aside_relay_core::Command;
use aside_relay_core::record::{Entry, Record, VERSION};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often a node that has no lease tries to take it.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// How often retention looks for something to delete.
const RETAIN_EVERY: Duration = Duration::from_secs(60);
/// Rows each retention command looks at.
const RETAIN_ROWS: u32 = 500;
/// Bytes of bodies, and commands, of a record, past which nothing more is put into it.
const FULL: (usize, usize) = (256 << 10, 2_000);

/// Takes the lease whenever nobody has it, and appends while it lasts.
pub(super) async fn rule(node: Arc<Node>, mut batches: mpsc::Receiver<Vec<Entry>>) {
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
async fn govern(node: &Arc<Node>, mut lease: Lease, batches: &mut mpsc::Receiver<Vec<Entry>>) {
    let Some(mut last) = begin(node).await else { return lease.release().await };
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
                true if retained.elapsed() < RETAIN_EVERY => continue,
                true => {
                    retained = Instant::now();
                    let command = Command::Retain { limit: RETAIN_ROWS };
                    let entry = node.pending().add(command, Vec::new(), Instant::now() + RETAIN_EVERY);
                    record(node, vec![entry])
                }
                false => {
                    tracing::warn!("the lease is lost; another node appends");
                    break;
                }
            },
            Some(first) = batches.recv() => record(node, gather(first, batches)),
            Some(message) = asked.next() => {
                if let Some(to) = message.reply {
                    node.nats.answer(to, (last + 1).to_string()).await;
                }
                Record { check: true, ..record(node, Vec::new()) }
            }
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

/// Waits until this node is to stop.
async fn drained(draining: &mut watch::Receiver<bool>) {
    // Without a sender the node is gone already.
    let _ = draining.wait_for(|draining| *draining).await;
}

/// Appends an empty record, by which everybody learns who appends from now on. It comes after everything that an owner
/// before still had on its way.
async fn begin(node: &Node) -> Option<u64> {
    for _ in 0..20 {
        match node.nats.bounds().await {
            Ok((_, last)) => match append(node, last, &record(node, Vec::new())).await {
                Some(position) => return Some(position),
                None => continue,
            },
            Err(why) => tracing::debug!(%why, "the log's end is not known"),
        }
        sleep(Duration::from_millis(100)).await;
    }
    None
}

fn record(node: &Node, entries: Vec<Entry>) -> Record {
    Record { version: VERSION, owner: node.name.clone(), time: clock::wall(), check: false, entries }
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

/// As much as waits, up to what a record holds.
fn gather(first: Vec<Entry>, batches: &mut mpsc::Receiver<Vec<Entry>>) -> Vec<Entry> {
    let mut entries = first;
    let mut bytes: usize = entries.iter().map(|entry| entry.command.weight()).sum();
    while bytes < FULL.0 && entries.len() < FULL.1 {
        let Ok(more) = batches.try_recv() else { break };
        bytes += more.iter().map(|entry| entry.command.weight()).sum::<usize>();
        entries.extend(more);
    }
    entries
}

/// How a state hash is told to the others.
pub(super) fn told(position: u64, hash: &Hash) -> String {
    format!("{position} {}", hash.to_hex())
}

//! What `aside-relay cluster` does: makes a cluster, compares its replicas, moves what nodes do.

use super::asking::Asked;
use super::nats::{Nats, NatsError, Stream, failed};
use super::part::Part;
use super::settings::Facts;
use super::snapshots;
use super::status::{NodeStatus, nodes, place};
use aside_protocol::{Hash, PartitionId};
use aside_relay_core::record::{Entry, Record, VERSION};
use aside_relay_core::{Command, CoreError, Layout, Reader};
use futures_util::future::join_all;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Keys of state hashes begin so.
const HASH: &str = "hash.";
/// How long nodes may take to tell their hashes, to take over, or to send their people away.
const PATIENCE: Duration = Duration::from_secs(30);
/// Blobs looked up before the next ones are read.
const PAGE: u64 = 1_000;
/// How often they are looked at meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Why a tool cannot do what it was asked; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// NATS.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The database.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// An owner.
    #[error(
        "no node appends to partition {0} now; are the nodes running? see aside-relay cluster status, and try again"
    )]
    NoOwner(u16),
    /// A node that is asked for.
    #[error("there is no node {0} now; aside-relay cluster status shows those there are")]
    NoNode(String),
    /// A partition that is asked for.
    #[error("there is no partition {0}; this cluster has those from 0 to {1}")]
    NoPartition(u16, u16),
    /// A node that does not do it in time.
    #[error("node {0} has not {1} within 30 seconds; see aside-relay cluster status, and try again")]
    Slow(String, &'static str),
    /// The snapshot.
    #[error("the node that appends could not take a snapshot: {0}")]
    Snapshot(String),
    /// A node that is being emptied.
    #[error("node {0} is drained, so it appends nothing; start it again first")]
    Drained(String),
}

/// A replica's state at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Which node.
    pub node: String,
    /// Hash of its state, hexadecimal.
    pub hash: String,
}

/// The replicas of a partition, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedPartition {
    /// Which.
    pub partition: u16,
    /// The position at which.
    pub position: u64,
    /// Whether all are the same.
    pub equal: bool,
    /// Of each node.
    pub nodes: Vec<Checked>,
}

/// All replicas, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Whether all are the same.
    pub equal: bool,
    /// By number.
    pub partitions: Vec<VerifiedPartition>,
}

/// Makes what a cluster needs in NATS. It is none before [`init`].
pub async fn create(nats: &Nats, layout: Layout, replicas: usize) -> Result<(), NatsError> {
    nats.create(layout, replicas).await
}

/// What a cluster begins with.
pub struct Beginning {
    /// Of each partition the database, of which a copy becomes the first snapshot.
    pub databases: Vec<PathBuf>,
    /// The databases are one, that of a relay alone: each partition takes its part of it.
    pub alone: bool,
    /// Blobs that it takes for complete, and that are nowhere.
    pub lost: Vec<Hash>,
    /// The first command of each log, if there is one.
    pub command: Option<Command>,
}

/// Makes a cluster. What makes it one comes last: broken off, this can be done again.
pub async fn init(nats: &Nats, facts: &Facts, beginning: &Beginning) -> Result<(), ToolError> {
    let layout = facts.layout()?;
    let Beginning { databases, alone, lost, command } = beginning;
    let entries: Vec<Entry> =
        command.iter().map(|command| Entry { origin: 0, id: 1, command: command.clone() }).collect();
    let time = crate::clock::wall();
    let first = Record { version: VERSION, owner: String::new(), reign: 0, time, check: false, entries };
    for (partition, database) in layout.all().zip(databases) {
        let log = nats.log(partition);
        log.append(0, &first.encode()?.into()).await;
        let lost: &[Hash] = if *alone || partition == Layout::DIRECTORY { lost } else { &[] };
        snapshots::begin(&log, database, alone.then_some(layout), lost, &first).await?;
    }
    Ok(nats.set_facts(facts).await?)
}

/// Which of the blobs that a database takes for complete are not in NATS.
pub async fn lost_blobs(nats: &Nats, database: &Path) -> Result<Vec<Hash>, ToolError> {
    let (pieces, mut after, mut lost) = (nats.pieces(), Hash([0; 32]), Vec::new());
    loop {
        let page = Reader::open(database)?.snapshot(|view| view.complete_blobs(&after, PAGE))?;
        let Some(last) = page.last() else { return Ok(lost) };
        after = *last;
        for id in page {
            if pieces.get(&id, 0).await?.is_none() {
                lost.push(id);
            }
        }
    }
}

/// Has all nodes tell the hashes of their states, of each partition at one position.
pub async fn verify(nats: &Nats) -> Result<Verified, ToolError> {
    let (layout, wanted) = (nats.facts().await?.layout()?, nodes(nats).await?);
    let mut partitions = Vec::new();
    for partition in layout.all() {
        let answer = nats.log(partition).ask(&Asked::Verify).await;
        let position: u64 = answer.and_then(|text| text.parse().ok()).ok_or(ToolError::NoOwner(partition.0))?;
        partitions.push(compare(nats, partition, position, &wanted).await?);
    }
    Ok(Verified { equal: partitions.iter().all(|partition| partition.equal), partitions })
}

/// Waits until all nodes have told the hash of a partition's state at a position.
async fn compare(
    nats: &Nats,
    partition: PartitionId,
    position: u64,
    wanted: &[NodeStatus],
) -> Result<VerifiedPartition, ToolError> {
    let deadline = Instant::now() + PATIENCE;
    let mut nodes: Vec<Checked> = Vec::new();
    for NodeStatus { node, .. } in wanted {
        let hash = loop {
            match told_hash(nats, partition, node).await? {
                Some((at, hash)) if at == position => break hash,
                _ if Instant::now() > deadline => return Err(ToolError::Slow(node.clone(), "told its state")),
                _ => sleep(LOOK).await,
            }
        };
        nodes.push(Checked { node: node.clone(), hash });
    }
    let equal = nodes.windows(2).all(|pair| pair[0].hash == pair[1].hash);
    Ok(VerifiedPartition { partition: partition.0, position, equal, nodes })
}

fn hash_key(partition: PartitionId, node: &str) -> String {
    format!("{HASH}{}.{node}", partition.0)
}

/// The last state hash of a partition that a node told, and at which position.
async fn told_hash(nats: &Nats, partition: PartitionId, node: &str) -> Result<Option<(u64, String)>, NatsError> {
    let found = nats.kept().await?.get(hash_key(partition, node)).await.ok().flatten();
    let text = found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    Ok(text.split_once(' ').and_then(|(at, hash)| Some((at.parse().ok()?, hash.to_owned()))))
}

/// Has the owners take snapshots and cut the logs off before them; up to which position, of each partition.
pub async fn snapshot(nats: &Nats) -> Result<Vec<u64>, ToolError> {
    let mut positions = Vec::new();
    for partition in nats.facts().await?.layout()?.all() {
        let told = nats.log(partition).ask(&Asked::Snapshot).await.ok_or(ToolError::NoOwner(partition.0))?;
        positions.push(told.parse().map_err(|_| ToolError::Snapshot(told))?);
    }
    Ok(positions)
}

/// Has another node append to a partition from now on, whenever it is there; comes back once it does. Without a node the
/// cluster decides again by itself.
pub async fn hand_over(nats: &Nats, partition: u16, to: Option<&str>) -> Result<(), ToolError> {
    let partitions = nats.facts().await?.partitions;
    if partition >= partitions {
        return Err(ToolError::NoPartition(partition, partitions.saturating_sub(1)));
    }
    let (id, kept) = (PartitionId(partition), nats.kept().await?);
    let Some(to) = to else {
        return Ok(kept.delete(place(id)).await.map_err(failed)?);
    };
    if known(nats, to).await?.draining {
        return Err(ToolError::Drained(to.to_owned()));
    }
    kept.put(place(id), to.to_owned().into()).await.map_err(failed)?;
    taken_over(&nats.log(id), partition, to).await
}

/// Waits until a node appends to a partition, and asks whoever else does to let it. That one may have given it up by itself,
/// once the node was named: between two nobody answers.
async fn taken_over(log: &Stream, partition: u16, to: &str) -> Result<(), ToolError> {
    let (deadline, mut heard) = (Instant::now() + PATIENCE, false);
    loop {
        match log.ask(&Asked::Who).await {
            Some(owner) if owner == to => return Ok(()),
            // If this is lost it is asked again.
            Some(_) => heard |= log.ask(&Asked::Move(to.to_owned())).await.is_some(),
            None => {}
        }
        if Instant::now() > deadline {
            return Err(if heard {
                ToolError::Slow(to.to_owned(), "taken over")
            } else {
                ToolError::NoOwner(partition)
            });
        }
        sleep(LOOK).await;
    }
}

/// Has a node send its people to others and append no more. Comes back once nobody is connected there.
pub async fn drain(nats: &Nats, name: &str) -> Result<(), ToolError> {
    known(nats, name).await?;
    let layout = nats.facts().await?.layout()?;
    nats.ask_to_drain(name).await.ok_or_else(|| ToolError::NoNode(name.to_owned()))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let node = known(nats, name).await?;
        if node.draining && node.connected == 0 && !appends(nats, layout, name).await {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(ToolError::Slow(node.node, "become empty"));
        }
        sleep(LOOK).await;
    }
}

/// Whether a node appends to any partition.
async fn appends(nats: &Nats, layout: Layout, name: &str) -> bool {
    let owners =
        join_all(layout.all().map(|partition| async move { nats.log(partition).ask(&Asked::Who).await })).await;
    owners.into_iter().flatten().any(|owner| owner == name)
}

/// A node that has said something within the last seconds.
async fn known(nats: &Nats, name: &str) -> Result<NodeStatus, ToolError> {
    let nodes = nodes(nats).await?;
    nodes.into_iter().find(|node| node.node == name).ok_or_else(|| ToolError::NoNode(name.to_owned()))
}

/// Tells the hash of a partition's state at this node.
pub(super) async fn tell_hash(part: &Part, position: u64, hash: &Hash) {
    let told = format!("{position} {}", hash.to_hex());
    if let Ok(kept) = part.node.nats.kept().await
        && let Err(why) = kept.put(hash_key(part.id, &part.node.name), told.into()).await
    {
        tracing::debug!(%why, "the state hash cannot be told");
    }
}

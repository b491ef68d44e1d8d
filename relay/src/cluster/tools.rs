//! What `aside-relay cluster` does: makes a cluster, shows it, compares its replicas.

use super::asking::Asked;
use super::lease::OWNER;
use super::log::Node;
use super::nats::{Nats, NatsError};
use super::settings::Facts;
use super::snapshots;
use aside_protocol::{Hash, Millis};
use aside_relay_core::record::{Entry, Record, VERSION};
use aside_relay_core::{Command, CoreError, Reader};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::sleep;

/// Keys of nodes begin so.
pub(super) const NODE: &str = "node.";
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
    /// The owner.
    #[error("no node appends now; are the nodes running? see aside-relay cluster status, and try again")]
    NoOwner,
    /// A node that is asked for.
    #[error("there is no node {0} now; aside-relay cluster status shows those there are")]
    NoNode(String),
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

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    #[serde(default)]
    pub node: String,
    /// The last position applied.
    pub applied: u64,
    /// Devices connected.
    pub connected: usize,
    /// What its invites say.
    pub addresses: Vec<String>,
    /// Whether it sends its people to others, and appends no more.
    #[serde(default)]
    pub draining: bool,
    /// The newest version of the log's records that it can apply. Nothing newer is appended before all nodes say so.
    #[serde(default)]
    pub version: u64,
}

/// The copy of the state that lies in NATS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotStatus {
    /// Up to where it goes.
    pub position: u64,
    /// How long it is.
    pub bytes: u64,
    /// When it was taken, UTC.
    pub taken: Millis,
}

/// A cluster as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The node that appends, if one does.
    pub owner: Option<String>,
    /// Positions of the log that are there.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Bytes of the log at each NATS server.
    pub bytes: u64,
    /// NATS servers that are to hold it.
    pub replicas: usize,
    /// Those of them that have all of it.
    pub current: usize,
    /// What a node begins with that the log does not reach back for.
    pub snapshot: Option<SnapshotStatus>,
    /// The nodes that have said something within the last seconds, by name.
    pub nodes: Vec<NodeStatus>,
}

/// A replica's state at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Which node.
    pub node: String,
    /// Hash of its state, hexadecimal.
    pub hash: String,
}

/// The replicas' states, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The position at which.
    pub position: u64,
    /// Whether all are the same.
    pub equal: bool,
    /// Of each node.
    pub nodes: Vec<Checked>,
}

/// Makes what a cluster needs in NATS. It is none before [`init`].
pub async fn create(nats: &Nats, replicas: usize) -> Result<(), NatsError> {
    nats.create(replicas).await
}

/// What a cluster begins with.
pub struct Beginning<'a> {
    /// The database, of which a copy becomes the first snapshot.
    pub database: &'a Path,
    /// Blobs that it takes for complete, and that are nowhere.
    pub lost: Vec<Hash>,
    /// The first command, if there is one.
    pub command: Option<Command>,
}

/// Makes a cluster. What makes it one comes last: broken off, this can be done again.
pub async fn init(nats: &Nats, facts: &Facts, beginning: Beginning<'_>) -> Result<(), ToolError> {
    let Beginning { database, lost, command } = beginning;
    let entries = command.map(|command| Entry { origin: 0, id: 1, command }).into_iter().collect();
    let time = crate::clock::wall();
    let first = Record { version: VERSION, owner: String::new(), reign: 0, time, check: false, entries };
    nats.append(0, &first.encode()?.into()).await;
    snapshots::begin(nats, database, &lost, &first).await?;
    Ok(nats.set_facts(facts).await?)
}

/// How a cluster is.
pub async fn status(nats: &Nats) -> Result<Status, NatsError> {
    nats.facts().await?;
    let info = nats.info().await?;
    let live = nats.live().await?;
    let failed = |error: String| NatsError::Failed(error);
    let owner = live.get(OWNER).await.map_err(|error| failed(error.to_string()))?;
    let mut nodes = Vec::new();
    let keys = live.keys().await.map_err(|error| failed(error.to_string()))?;
    let keys: Vec<String> = keys.try_collect().await.map_err(|error| failed(error.to_string()))?;
    for key in keys {
        let Some(name) = key.strip_prefix(NODE) else { continue };
        let Ok(Some(bytes)) = live.get(key.as_str()).await else { continue };
        if let Ok(status) = serde_json::from_slice::<NodeStatus>(&bytes) {
            nodes.push(NodeStatus { node: name.to_owned(), ..status });
        }
    }
    nodes.sort_by(|one, other| one.node.cmp(&other.node));
    let peers = info.cluster.as_ref().map(|cluster| &cluster.replicas);
    let current = 1 + peers.map_or(0, |peers| peers.iter().filter(|peer| peer.current && !peer.offline).count());
    Ok(Status {
        owner: owner.map(|name| String::from_utf8_lossy(&name).into_owned()),
        first: info.state.first_sequence,
        last: info.state.last_sequence,
        bytes: info.state.bytes,
        replicas: info.config.num_replicas,
        current,
        snapshot: nats.newest_snapshot().await?.map(|newest| SnapshotStatus {
            position: newest.position,
            bytes: newest.bytes,
            taken: millis(newest.taken),
        }),
        nodes,
    })
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

fn millis(at: SystemTime) -> Millis {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Has all nodes tell the hash of their state at one position.
pub async fn verify(nats: &Nats) -> Result<Verified, ToolError> {
    let wanted = status(nats).await?.nodes;
    let answer = nats.ask(&Asked::Verify).await;
    let position: u64 = answer.and_then(|text| text.parse().ok()).ok_or(ToolError::NoOwner)?;
    let deadline = Instant::now() + PATIENCE;
    let mut nodes: Vec<Checked> = Vec::new();
    for NodeStatus { node, .. } in wanted {
        let hash = loop {
            match told_hash(nats, &node).await? {
                Some((at, hash)) if at == position => break hash,
                _ if Instant::now() > deadline => return Err(ToolError::Slow(node, "told its state")),
                _ => sleep(LOOK).await,
            }
        };
        nodes.push(Checked { node, hash });
    }
    let equal = nodes.windows(2).all(|pair| pair[0].hash == pair[1].hash);
    Ok(Verified { position, equal, nodes })
}

/// The last state hash that a node told, and at which position.
async fn told_hash(nats: &Nats, node: &str) -> Result<Option<(u64, String)>, NatsError> {
    let found = nats.kept().await?.get(format!("{HASH}{node}")).await.ok().flatten();
    let text = found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    Ok(text.split_once(' ').and_then(|(at, hash)| Some((at.parse().ok()?, hash.to_owned()))))
}

/// Has the owner take a snapshot and cut the log off before it; up to which position.
pub async fn snapshot(nats: &Nats) -> Result<u64, ToolError> {
    nats.facts().await?;
    let told = nats.ask(&Asked::Snapshot).await.ok_or(ToolError::NoOwner)?;
    told.parse().map_err(|_| ToolError::Snapshot(told))
}

/// Has another node append. Comes back once it does.
pub async fn hand_over(nats: &Nats, to: &str) -> Result<(), ToolError> {
    if known(nats, to).await?.draining {
        return Err(ToolError::Drained(to.to_owned()));
    }
    nats.ask(&Asked::Move(to.to_owned())).await.ok_or(ToolError::NoOwner)?;
    let deadline = Instant::now() + PATIENCE;
    while nats.ask(&Asked::Who).await.is_none_or(|owner| owner != to) {
        if Instant::now() > deadline {
            return Err(ToolError::Slow(to.to_owned(), "taken over"));
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// Has a node send its people to others and append no more. Comes back once nobody is connected there.
pub async fn drain(nats: &Nats, name: &str) -> Result<(), ToolError> {
    known(nats, name).await?;
    let nobody = || ToolError::NoNode(name.to_owned());
    nats.ask_to_drain(name).await.ok_or_else(nobody)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let node = known(nats, name).await?;
        let appends = nats.ask(&Asked::Who).await.is_some_and(|owner| owner == name);
        match node.draining && node.connected == 0 && !appends {
            true => return Ok(()),
            false if Instant::now() > deadline => return Err(ToolError::Slow(node.node, "become empty")),
            false => sleep(LOOK).await,
        }
    }
}

/// A node that has said something within the last seconds.
async fn known(nats: &Nats, name: &str) -> Result<NodeStatus, ToolError> {
    let nodes = status(nats).await?.nodes;
    nodes.into_iter().find(|node| node.node == name).ok_or_else(|| ToolError::NoNode(name.to_owned()))
}

/// Tells this node's state hash.
pub(super) async fn tell_hash(node: &Node, position: u64, hash: &Hash) {
    let told = format!("{position} {}", hash.to_hex());
    if let Ok(kept) = node.nats.kept().await
        && let Err(why) = kept.put(format!("{HASH}{}", node.name), told.into()).await
    {
        tracing::debug!(%why, "the state hash cannot be told");
    }
}

/// Tells how far this node is; whether a majority of the NATS servers has it.
pub(super) async fn tell_status(node: &Node, applied: u64) -> bool {
    let addresses = node.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (connected, draining) = (node.hub.connected(), *node.draining.borrow());
    let status = NodeStatus { node: String::new(), applied, connected, addresses, draining, version: VERSION };
    let Ok(bytes) = serde_json::to_vec(&status) else { return false };
    let Ok(live) = node.nats.live().await else { return false };
    let put = live.put(format!("{NODE}{}", node.name), bytes.into()).await;
    if let Err(why) = &put {
        tracing::debug!(%why, "the node's state cannot be told");
    }
    put.is_ok()
}

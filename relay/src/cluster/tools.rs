//! What `aside-relay cluster` does: makes a cluster, shows it, compares its replicas.

use super::log::Node;
use super::nats::{Nats, NatsError};
use super::settings::Facts;
use aside_protocol::LogId;
use aside_relay_core::Command;
use aside_relay_core::record::{Entry, Record, VERSION};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What the owner is asked for.
const VERIFY: &str = "verify";
pub(super) const SNAPSHOT: &str = "snapshot";
/// Keys of nodes begin so.
const NODE: &str = "node.";
/// Keys of state hashes begin so.
const HASH: &str = "hash.";
/// How long nodes may take to tell their hashes.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Makes a cluster; `log` names it unless what it begins with has a name already.
pub async fn init(nats: &Nats, replicas: usize, facts: &Facts, log: Option<LogId>) -> Result<(), NatsError> {
    nats.create(replicas, facts).await?;
    let entries = log.map(|log| Entry { origin: 0, id: 1, command: Command::Init { log } }).into_iter().collect();
    let time = crate::clock::wall();
    let first = Record { version: VERSION, owner: String::new(), reign: 0, time, check: false, entries };
    let bytes = first.encode().map_err(|error| NatsError::Failed(error.to_string()))?;
    nats.append(0, &bytes.into()).await;
    Ok(())
}

/// How a cluster is.
pub async fn status(nats: &Nats) -> Result<Status, NatsError> {
    nats.facts().await?;
    let info = nats.info().await?;
    let live = nats.live().await?;
    let failed = |error: String| NatsError::Failed(error);
    let owner = live.get("owner").await.map_err(|error| failed(error.to_string()))?;
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
        nodes,
    })
}

/// Has all nodes tell the hash of their state at one position.
pub async fn verify(nats: &Nats) -> Result<Verified, NatsError> {
    let wanted: Vec<String> = status(nats).await?.nodes.into_iter().map(|node| node.node).collect();
    let answer = nats.ask(VERIFY).await?;
    let position: u64 = std::str::from_utf8(&answer)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| NatsError::Failed("the owner gave no position".into()))?;
    let kept = nats.kept().await?;
    let deadline = Instant::now() + PATIENCE;
    let mut nodes: Vec<Checked> = Vec::new();
    for node in wanted {
        let told = loop {
            let found = kept.get(format!("{HASH}{node}")).await.ok().flatten();
            let text = found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            match text.split_once(' ') {
                Some((at, hash)) if at == position.to_string() => break Some(hash.to_owned()),
                _ if Instant::now() > deadline => break None,
                _ => sleep(Duration::from_millis(50)).await,
            }
        };
        let hash = told.ok_or_else(|| NatsError::Failed(format!("node {node} has not told its state in time")))?;
        nodes.push(Checked { node, hash });
    }
    let equal = nodes.windows(2).all(|pair| pair[0].hash == pair[1].hash);
    Ok(Verified { position, equal, nodes })
}

/// Has the owner take a snapshot and cut the log off before it; up to which position.
pub async fn snapshot(nats: &Nats) -> Result<u64, NatsError> {
    nats.facts().await?;
    let answer = nats.ask(SNAPSHOT).await?;
    let text = String::from_utf8_lossy(&answer);
    text.parse().map_err(|_| NatsError::Failed(text.into_owned()))
}

/// Tells this node's state hash.
pub(super) async fn tell_hash(node: &Node, told: &str) {
    if let Ok(kept) = node.nats.kept().await
        && let Err(why) = kept.put(format!("{HASH}{}", node.name), told.to_owned().into()).await
    {
        tracing::debug!(%why, "the state hash cannot be told");
    }
}

/// Tells how far this node is.
pub(super) async fn tell_status(node: &Node, applied: u64, connected: usize, addresses: Vec<String>) {
    let status = NodeStatus { node: String::new(), applied, connected, addresses };
    let Ok(bytes) = serde_json::to_vec(&status) else { return };
    if let Ok(live) = node.nats.live().await
        && let Err(why) = live.put(format!("{NODE}{}", node.name), bytes.into()).await
    {
        tracing::debug!(%why, "the node's state cannot be told");
    }
}

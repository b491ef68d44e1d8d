//! How a cluster is: what nodes say of themselves, and what NATS has of each partition.

use super::lease::Lease;
use super::nats::{Nats, NatsError, failed};
use super::node::Node;
use aside_protocol::{Millis, PartitionId};
use aside_relay_core::record::VERSION;
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;
use std::time::SystemTime;

/// Keys of nodes begin so.
pub(super) const NODE: &str = "node.";
/// Keys of what the host says of partitions begin so.
pub(super) const PLACE: &str = "place.";

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its name.
    #[serde(default)]
    pub node: String,
    /// The last position applied of each partition, by number.
    pub applied: Vec<u64>,
    /// Devices connected.
    pub connected: usize,
    /// What its invites say.
    pub addresses: Vec<String>,
    /// Whether it sends its people to others, and appends no more.
    #[serde(default)]
    pub draining: bool,
    /// Whether it serves: it hears NATS, can store, and is not far behind.
    #[serde(default)]
    pub serving: bool,
    /// Whether NATS answers it soon enough for it to append.
    #[serde(default)]
    pub quick: bool,
    /// The newest version of the logs' records that it can apply. Nothing newer is appended before all nodes say so.
    #[serde(default)]
    pub version: u64,
}

/// The copy of a partition's state that lies in NATS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotStatus {
    /// Up to where it goes.
    pub position: u64,
    /// How long it is.
    pub bytes: u64,
    /// When it was taken, UTC.
    pub taken: Millis,
}

/// A node that follows a partition without appending to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standby {
    /// Its name.
    pub node: String,
    /// How many records it has not applied yet.
    pub behind: u64,
}

/// A partition as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionStatus {
    /// Its number.
    pub partition: u16,
    /// The node that appends to it, if one does.
    pub owner: Option<String>,
    /// The nodes that would take over.
    pub standbys: Vec<Standby>,
    /// The node that the host has named for it, if one was.
    pub named: Option<String>,
    /// Positions of its log that are there.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Bytes of its log at each NATS server.
    pub bytes: u64,
    /// NATS servers that are to hold it.
    pub replicas: usize,
    /// Those of them that have all of it.
    pub current: usize,
    /// What a node begins with that the log does not reach back for.
    pub snapshot: Option<SnapshotStatus>,
}

/// A cluster as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// All partitions, by number.
    pub partitions: Vec<PartitionStatus>,
    /// The nodes that have said something within the last seconds, by name.
    pub nodes: Vec<NodeStatus>,
}

/// How the cluster is.
pub async fn status(nats: &Nats) -> Result<Status, NatsError> {
    let layout = nats.facts().await?.layout()?;
    let nodes = nodes(nats).await?;
    let partitions = try_join_all(layout.all().map(|partition| of(nats, partition, &nodes))).await?;
    Ok(Status { partitions, nodes })
}

/// The nodes that have said something within the last seconds, by name.
pub(super) async fn nodes(nats: &Nats) -> Result<Vec<NodeStatus>, NatsError> {
    let live = nats.live().await?;
    // Asked of the stream: a list of keys would leave a consumer behind each time, and a stream takes a bounded number of them.
    let subjects = live.stream.info_with_subjects(format!("{}{NODE}>", live.prefix)).await.map_err(failed)?;
    let subjects: Vec<(String, usize)> = subjects.try_collect().await.map_err(failed)?;
    let mut nodes = Vec::new();
    for (subject, _) in subjects {
        let Some(key) = subject.strip_prefix(&live.prefix) else { continue };
        let Some(name) = key.strip_prefix(NODE) else { continue };
        let Ok(Some(bytes)) = live.get(key).await else { continue };
        if let Ok(status) = serde_json::from_slice::<NodeStatus>(&bytes) {
            nodes.push(NodeStatus { node: name.to_owned(), ..status });
        }
    }
    nodes.sort_by(|one, other| one.node.cmp(&other.node));
    Ok(nodes)
}

async fn of(nats: &Nats, partition: PartitionId, nodes: &[NodeStatus]) -> Result<PartitionStatus, NatsError> {
    let log = nats.log(partition);
    let (info, holder) = (log.info().await?, Lease::look(nats, partition).await?);
    let owner = holder.map(|holder| holder.node);
    let last = info.state.last_sequence;
    let standby = |node: &NodeStatus| {
        let applied = node.applied.get(usize::from(partition.0)).copied().unwrap_or(0);
        Standby { node: node.node.clone(), behind: last.saturating_sub(applied) }
    };
    let standbys = nodes.iter().filter(|node| Some(&node.node) != owner.as_ref()).map(standby).collect();
    let peers = info.cluster.as_ref().map(|cluster| &cluster.replicas);
    let current = 1 + peers.map_or(0, |peers| peers.iter().filter(|peer| peer.current && !peer.offline).count());
    let named = nats.kept().await?.get(place(partition)).await.map_err(failed)?;
    Ok(PartitionStatus {
        partition: partition.0,
        owner,
        standbys,
        named: named.map(|node| String::from_utf8_lossy(&node).into_owned()),
        first: info.state.first_sequence,
        last,
        bytes: info.state.bytes,
        replicas: info.config.num_replicas,
        current,
        snapshot: log.newest_snapshot().await?.map(|newest| SnapshotStatus {
            position: newest.position,
            bytes: newest.bytes,
            taken: millis(newest.taken),
        }),
    })
}

/// The key of what the host says of a partition.
pub(super) fn place(partition: PartitionId) -> String {
    format!("{PLACE}{}", partition.0)
}

fn millis(time: SystemTime) -> Millis {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Tells how far this node is; whether a majority of the NATS servers has it.
pub(super) async fn tell(node: &Node, applied: Vec<u64>) -> bool {
    let addresses = node.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (connected, draining) = (node.hub.connected(), *node.draining.borrow());
    let (name, serving, quick, version) = (String::new(), *node.serving.borrow(), node.is_quick(), VERSION);
    let status = NodeStatus { node: name, applied, connected, addresses, draining, serving, quick, version };
    let Ok(bytes) = serde_json::to_vec(&status) else { return false };
    let Ok(live) = node.nats.live().await else { return false };
    let put = live.put(format!("{NODE}{}", node.name), bytes.into()).await;
    if let Err(why) = &put {
        tracing::debug!(%why, "the node's state cannot be told");
    }
    put.is_ok()
}

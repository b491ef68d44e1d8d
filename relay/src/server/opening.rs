//! What a relay opens at its start: its database and log, alone or in a cluster, and where its blobs lie.

use super::{Options, StartError};
use crate::blobs::Place;
use crate::clock;
use crate::cluster::{ClusterLog, Facts, JoinError, Nats, Settings, fetch_snapshot};
use crate::data::DataDir;
use crate::hub::Hub;
use crate::identity::Identity;
use crate::log::{LocalLog, Log};
use crate::nodes::Nodes;
use aside_protocol::{LogId, PartitionId};
use aside_relay_core::command_log::CommandLog;
use aside_relay_core::{Command, Core, CoreError, Layout, Location, Reader, Stamped};
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// KiB of pages that a node keeps of all its databases for writing; and of one at most and at least.
const CACHE: u32 = 32 << 10;
const MOST_CACHE: u32 = 8 << 10;
const LEAST_CACHE: u32 = 512;

/// What clients are told. A relay alone tells the names its host gave it; where it merely listens, they need not be told.
pub(super) async fn nodes(
    node: Option<&ClusterLog>,
    options: &Options,
    addresses: &[String],
) -> watch::Receiver<Arc<Nodes>> {
    if let Some(node) = node {
        node.announce(addresses).await;
    }
    match node {
        _ if !options.tell_nodes => watch::channel(Arc::default()).1,
        Some(node) => node.nodes(),
        None => watch::channel(Arc::new(Nodes::alone(&options.addresses))).1,
    }
}

/// The log of a relay, alone or of several nodes.
pub(super) struct Opened {
    pub(super) log: Arc<dyn Log>,
    pub(super) id: LogId,
    pub(super) layout: Layout,
    pub(super) serving: watch::Receiver<bool>,
    pub(super) fatal: watch::Receiver<Option<String>>,
    pub(super) node: Option<Arc<ClusterLog>>,
}

/// Opens it.
pub(super) async fn open_log(
    data: &DataDir,
    options: &Options,
    identity: &Identity,
    hub: Arc<Hub>,
) -> Result<Opened, StartError> {
    let Some(settings) = &options.cluster else {
        let core = open_core(data, options.restored)?;
        let id = core.view().log().map_err(CoreError::from)?.unwrap_or(LogId([0; 16]));
        let record = options.record.as_deref().map(CommandLog::open).transpose()?;
        let log = Arc::new(LocalLog::start(core, hub, record)?);
        let (serving, fatal) = (watch::channel(true).1, watch::channel(None).1);
        return Ok(Opened { log, id, layout: Layout::ALONE, serving, fatal, node: None });
    };
    let node = Arc::new(join(data, settings, identity, hub).await?);
    let reader = Reader::open(&data.database())?;
    let id = reader.snapshot(|view| view.log())?.unwrap_or(LogId([0; 16]));
    let (serving, fatal) = (node.serving(), node.fatal());
    Ok(Opened { log: node.clone(), id, layout: node.layout(), serving, fatal, node: Some(node) })
}

/// Joins the cluster, if this node's identity and databases are its own.
async fn join(
    data: &DataDir,
    settings: &Settings,
    identity: &Identity,
    hub: Arc<Hub>,
) -> Result<ClusterLog, JoinError> {
    let nats = Nats::connect(settings).await?;
    let facts = nats.facts().await?;
    if facts.pin != identity.pin().to_hex() {
        return Err(JoinError::OtherIdentity);
    }
    let (layout, mut databases) = (facts.layout()?, Vec::new());
    for partition in layout.all() {
        let core = open_part(data, &nats, &facts, partition).await?;
        core.set_cache((CACHE / u32::from(layout.partitions())).clamp(LEAST_CACHE, MOST_CACHE))?;
        databases.push((core, data.database_of(partition)));
    }
    ClusterLog::join(nats, settings, layout, databases, hub).await
}

/// Opens a partition's database; one that its log does not reach back for begins with the snapshot.
async fn open_part(data: &DataDir, nats: &Nats, facts: &Facts, partition: PartitionId) -> Result<Core, JoinError> {
    let database = data.database_of(partition);
    data.prepare_database(partition)?;
    let core = Core::open(&Location::File(database.clone()))?;
    let applied = core.view().applied().map_err(CoreError::from)?;
    match core.view().log().map_err(CoreError::from)? {
        Some(_) if applied == 0 => return Err(JoinError::OtherBase),
        Some(log) if log.to_hex() != facts.log => return Err(JoinError::OtherLog),
        Some(_) if core.partition() != partition => return Err(JoinError::OtherLog),
        _ => {}
    }
    // The log of a new cluster begins behind its first snapshot.
    if nats.begins_at(partition).await? <= applied + 1 {
        return Ok(core);
    }
    drop(core);
    fetch_snapshot(nats, partition, &database).await?;
    Ok(Core::open(&Location::File(database))?)
}

/// Opens the database and gives a new one its log id. One that was restored from an older copy gets another.
pub(crate) fn open_core(data: &DataDir, restored: bool) -> Result<Core, StartError> {
    let before = data.database_before();
    if before.exists() && !data.database().exists() {
        return Err(StartError::Imported(before));
    }
    data.prepare_database(Layout::DIRECTORY)?;
    let mut core = Core::open(&Location::File(data.database()))?;
    if core.view().applied().map_err(CoreError::from)? > 0 {
        return Err(StartError::Member);
    }
    let new = core.view().log().map_err(CoreError::from)?.is_none();
    if new || restored {
        let mut log = [0; 16];
        getrandom::fill(&mut log).map_err(|error| io::Error::other(error.to_string()))?;
        let log = LogId(log);
        let command = if new { Command::Init { log } } else { Command::BeginLog { log } };
        core.apply(&[Stamped { time: clock::wall(), command }], true)?;
    }
    Ok(core)
}

/// Where blobs lie: where the host says, in the cluster's NATS servers, or in the data folder.
pub(super) fn blob_place(data: &DataDir, options: &Options, node: Option<&ClusterLog>) -> Place {
    let own = data.blobs();
    match (&options.blob_folder, &options.cluster, node) {
        (Some(folder), Some(cluster), _) => Place::Shared { folder: folder.clone(), node: cluster.node.clone() },
        (None, _, Some(node)) => Place::Nats { folder: own, pieces: node.pieces() },
        (folder, _, _) => Place::Own(folder.clone().unwrap_or(own)),
    }
}

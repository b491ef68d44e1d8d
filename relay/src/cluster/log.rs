//! The log of a node in a cluster, as sessions and admin tools see it: what they submit waits here until it is on its way.

use super::nats::{Nats, NatsError};
use super::pending::Pending;
use super::pieces::Pieces;
use super::replica::{Reached, Replica};
use super::settings::Settings;
use super::{appending, draining, forwarding, fresh, nodes, snapshots, tools, watching};
use crate::data::DataError;
use crate::hub::Hub;
use crate::log::{Backlog, Counters, Log, Reply, Then, busy};
use crate::mailbox::Wakes;
use crate::nodes::Nodes;
use aside_protocol::{DeviceId, PartitionId, Pos};
use aside_relay_core::record::Submission;
use aside_relay_core::{Command, Core, CoreError};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Batches of commands that may wait for being appended here.
const BATCHES: usize = 256;
/// How long a node that stops may take to give its lease back: without NATS it ends by itself in about as long.
const HAND_OVER: Duration = Duration::from_secs(3);
/// How long a node waits at its start until it hears itself.
const KNOWN: Duration = Duration::from_secs(5);

/// Why a node does not start; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// NATS.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The database.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The log cannot be followed, which nobody can repair but a person; why.
    #[error("this node cannot catch up: {0}")]
    Broken(String),
    /// Another relay's identity.
    #[error(
        "identity.key in the data folder is not the cluster's; copy that file from another node (over a safe way, mode \
         0600) and start again"
    )]
    OtherIdentity,
    /// Another database to begin with.
    #[error(
        "the database in the data folder is that of a relay alone, and not what this cluster began with; name another folder, \
         with nothing but the cluster's identity.key in it"
    )]
    OtherBase,
    /// A database of another cluster, or of one that was before this one.
    #[error(
        "the database in the data folder is of another cluster, or of this one before it was made anew; if you have what you \
         need of it, remove relay.db, relay.db-wal and relay.db-shm there, and start again"
    )]
    OtherLog,
    /// The log is cut off before what this node has.
    #[error(
        "the cluster's log begins at {first}, this node has it up to {applied}, and the snapshot is no newer; copy relay.db \
         of another node, stopped while you copy"
    )]
    Behind {
        /// The log's first position.
        first: u64,
        /// The last one applied here.
        applied: u64,
    },
}

/// What the tasks of a node share.
pub(super) struct Node {
    pub(super) nats: Nats,
    pub(super) name: String,
    /// The replica's file.
    pub(super) database: PathBuf,
    /// Whose turn it is to copy it.
    pub(super) snapshots: tokio::sync::Mutex<()>,
    /// What clients are told, for `cluster status`.
    pub(super) addresses: Mutex<Vec<String>>,
    pub(super) hub: Arc<Hub>,
    pub(super) backlog: Mutex<Backlog>,
    pub(super) submitted: Notify,
    pub(super) pending: Arc<Mutex<Pending>>,
    pub(super) reached: watch::Receiver<Reached>,
    /// To the task that appends, if this node is to.
    pub(super) appending: mpsc::Sender<Submission>,
    /// Something stands in the log that does not come: it is to be followed anew.
    pub(super) follow_anew: Notify,
    /// Whether this node may serve: it hears NATS, and is not behind.
    pub(super) serving: watch::Sender<bool>,
    /// What nobody can repair but a person; the node stops.
    pub(super) fatal: watch::Sender<Option<String>>,
    /// Where all nodes are, for clients.
    pub(super) nodes: watch::Sender<Arc<Nodes>>,
    /// This node gives its lease back and takes no other, and its connections go.
    pub(super) draining: watch::Sender<bool>,
}

impl Node {
    pub(super) fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the replica has the log up to a position.
    async fn caught_up(&self, position: u64) -> Result<(), JoinError> {
        let (mut reached, mut fatal) = (self.reached.clone(), self.fatal.subscribe());
        tokio::select! {
            _ = reached.wait_for(|reached| reached.position >= position) => Ok(()),
            why = fatal.wait_for(Option::is_some) => {
                Err(JoinError::Broken(why.ok().and_then(|why| why.clone()).unwrap_or_default()))
            }
        }
    }

    /// Everything that goes on beside following and appending.
    fn start(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        tasks.spawn(watching::look_after(self.clone()));
        tasks.spawn(watching::part_devices(self.clone()));
        tasks.spawn(forwarding::forward(self.clone()));
        tasks.spawn(forwarding::collect(self.clone()));
        tasks.spawn(snapshots::keep(self.clone()));
        tasks.spawn(draining::listen(self.clone()));
        tasks.spawn(draining::empty(self.clone()));
        tasks.spawn(nodes::know(self.clone()));
    }
}

/// The handle on a node's tasks and its replica.
pub struct ClusterLog {
    node: Arc<Node>,
    replica: Arc<Replica>,
    runtime: Handle,
    /// The task that appends, whose end is waited for: it gives the lease back.
    rule: Mutex<Option<JoinHandle<()>>>,
    tasks: Mutex<JoinSet<()>>,
    /// Those that wait until this node has what is durable.
    fresh: mpsc::UnboundedSender<Then>,
}

impl ClusterLog {
    /// Joins a cluster with a database that may be behind, and comes back once it has caught up.
    pub async fn join(
        nats: Nats,
        settings: &Settings,
        (core, database): (Core, PathBuf),
        hub: Arc<Hub>,
    ) -> Result<Self, JoinError> {
        let applied = core.view().applied().map_err(CoreError::from)?;
        let (first, last) = nats.bounds().await?;
        if first > applied + 1 {
            return Err(JoinError::Behind { first, applied });
        }
        let mut drawn = [0; 8];
        getrandom::fill(&mut drawn).map_err(|error| CoreError::Thread(error.to_string()))?;
        let pending = Arc::new(Mutex::new(Pending::new(u64::from_be_bytes(drawn) >> 1)));
        let replica = Arc::new(Replica::start(core, hub.clone(), pending.clone())?);
        let (appending, batches) = mpsc::channel(BATCHES);
        let node = Arc::new(Node {
            nats,
            name: settings.node.clone(),
            database,
            snapshots: tokio::sync::Mutex::default(),
            addresses: Mutex::default(),
            hub,
            backlog: Mutex::default(),
            submitted: Notify::new(),
            pending,
            reached: replica.reached(),
            appending,
            follow_anew: Notify::new(),
            serving: watch::channel(false).0,
            fatal: watch::channel(None).0,
            nodes: watch::channel(Arc::default()).0,
            draining: watch::channel(false).0,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(watching::follow(node.clone(), replica.clone(), applied));
        node.caught_up(last).await?;
        // It has just heard NATS and is not behind: whoever connects first need not go elsewhere.
        watching::serve(&node, true);
        node.start(&mut tasks);
        let (fresh, waiting) = mpsc::unbounded_channel();
        tasks.spawn(fresh::catch_up(node.clone(), waiting));
        let rule = Mutex::new(Some(tokio::spawn(appending::rule(node.clone(), batches))));
        Ok(Self { node, replica, runtime: Handle::current(), rule, tasks: Mutex::new(tasks), fresh })
    }

    /// Says where this node is, and waits until the cluster has heard: from then on it knows all nodes, and is known. Without
    /// NATS it does not wait for ever.
    pub async fn announce(&self, addresses: &[String]) {
        *self.node.addresses.lock().unwrap_or_else(PoisonError::into_inner) = addresses.to_vec();
        let mut nodes = self.nodes();
        if timeout(KNOWN, nodes.wait_for(|nodes| nodes.has(&self.node.name))).await.is_err() {
            tracing::warn!("NATS does not say where the nodes are; clients are told later");
        }
    }

    /// Where all nodes are.
    pub fn nodes(&self) -> watch::Receiver<Arc<Nodes>> {
        self.node.nodes.subscribe()
    }

    /// Where the cluster's blobs lie, unless in a folder.
    pub fn pieces(&self) -> Arc<Pieces> {
        self.node.nats.pieces()
    }

    /// Turns with whether this node may serve.
    pub fn serving(&self) -> watch::Receiver<bool> {
        self.node.serving.subscribe()
    }

    /// What nobody can repair but a person, once there is such a thing.
    pub fn fatal(&self) -> watch::Receiver<Option<String>> {
        self.node.fatal.subscribe()
    }
}

impl Log for ClusterLog {
    fn submit(&self, command: Command, reply: Reply) {
        match self.node.backlog().submit(command, reply, Instant::now()) {
            Ok(()) => self.node.submitted.notify_one(),
            Err(reply) => reply(busy(), &mut Wakes::default()),
        }
    }

    fn ack(&self, device: DeviceId, _: PartitionId, pos: Pos) {
        if self.node.backlog().ack(device, pos, Instant::now()) {
            self.node.submitted.notify_one();
        }
    }

    fn attached(&self, device: DeviceId) {
        let node = self.node.clone();
        tokio::spawn(async move { watching::tell_attached(&node, device).await });
    }

    fn when_current(&self, then: Then) {
        if let Err(over) = self.fresh.send(then) {
            (over.0)(false);
        }
    }

    fn counters(&self) -> Counters {
        Counters { commands: self.node.reached.borrow().commands, syncs: 0 }
    }

    fn limit_pages(&self, _: Option<u32>) {
        tracing::warn!("a node of a cluster has no limit of pages");
    }

    fn leave(&self) {
        self.node.draining.send_replace(true);
        let node = self.node.clone();
        let position = node.reached.borrow().position;
        self.runtime.spawn(async move { tools::tell_status(&node, position).await });
    }

    /// Gives the lease back, then ends the tasks and the replica. Blocks.
    fn stop(&self) {
        self.node.draining.send_replace(true);
        self.node.backlog().stop();
        if let Some(rule) = self.rule.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let abort = rule.abort_handle();
            if self.runtime.block_on(async { timeout(HAND_OVER, rule).await }).is_err() {
                tracing::warn!("NATS does not answer; the lease ends by itself");
                abort.abort();
            }
        }
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.replica.stop();
    }
}

//! The logs of a node in a cluster, as sessions and admin tools see them: each command goes to its partition.

use super::nats::{Nats, NatsError};
use super::node::Node;
use super::part::{Part, Running};
use super::pieces::Pieces;
use super::settings::Settings;
use super::{draining, fresh, looking, nodes, status, watching};
use crate::data::DataError;
use crate::hub::Hub;
use crate::log::{Counters, Log, Reply, Then};
use crate::nodes::Nodes;
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, PartitionId, Pos, Refusal};
use aside_relay_core::{Command, Core, CoreError, Layout};
use futures_util::future::join_all;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a node that stops may take to give its leases back: without NATS they end by themselves in about as long.
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
    /// A log cannot be followed, which nobody can repair but a person; why.
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
        "the database in the data folder is that of a relay alone, and not this cluster's; name another folder, with nothing \
         but the cluster's identity.key in it"
    )]
    OtherBase,
    /// A database of another cluster, or of one that was before this one.
    #[error(
        "the database in the data folder is of another cluster, or of this one before it was made anew; if you have what you \
         need of it, remove relay*.db, relay*.db-wal and relay*.db-shm there, and start again"
    )]
    OtherLog,
    /// The log is cut off before what this node has.
    #[error(
        "the log of a partition begins at {first}, this node has it up to {applied}, and the snapshot is no newer; copy the \
         relay*.db of another node, stopped while you copy"
    )]
    Behind {
        /// The log's first position.
        first: u64,
        /// The last one applied here.
        applied: u64,
    },
}

/// The handle on a node's tasks and its replicas.
pub struct ClusterLog {
    node: Arc<Node>,
    /// By number, the directory first.
    parts: Vec<Arc<Part>>,
    running: Mutex<Vec<Running>>,
    runtime: Handle,
    tasks: Mutex<JoinSet<()>>,
    /// Those that wait until this node has what is durable.
    fresh: mpsc::UnboundedSender<Then>,
}

impl ClusterLog {
    /// Joins a cluster with the databases of all partitions, by number, which may be behind; comes back once they have
    /// caught up.
    pub async fn join(
        nats: Nats,
        settings: &Settings,
        layout: Layout,
        databases: Vec<(Core, PathBuf)>,
        hub: Arc<Hub>,
    ) -> Result<Self, JoinError> {
        let node = Arc::new(Node::new(nats, &settings.node, layout, hub));
        let (mut tasks, mut running) = (JoinSet::new(), Vec::<Running>::new());
        let mut directory = None;
        for database in databases {
            let begun = Running::begin(&node, database, directory.clone(), &mut tasks).await?;
            if directory.is_none() {
                directory = Some(begun.directory()?);
            }
            running.push(begun);
        }
        for begun in &running {
            begun.caught_up().await?;
        }
        // It has just heard NATS and is not behind: whoever connects first need not go elsewhere.
        watching::serve(&node, true);
        running.iter_mut().for_each(|begun| begun.start(&mut tasks));
        let parts: Vec<Arc<Part>> = running.iter().map(|begun| begun.part.clone()).collect();
        tasks.spawn(looking::tell(node.clone(), parts.clone()));
        tasks.spawn(looking::judge(node.clone(), parts.clone()));
        tasks.spawn(watching::part_devices(node.clone()));
        tasks.spawn(draining::listen(node.clone()));
        tasks.spawn(draining::empty(node.clone()));
        tasks.spawn(nodes::know(node.clone()));
        tasks.spawn(nodes::know_places(node.clone()));
        tasks.spawn(nodes::know_leases(node.clone(), parts.clone()));
        let (fresh, waiting) = mpsc::unbounded_channel();
        tasks.spawn(fresh::catch_up(node.clone(), parts.clone(), waiting));
        let (running, runtime, tasks) = (Mutex::new(running), Handle::current(), Mutex::new(tasks));
        Ok(Self { node, parts, running, runtime, tasks, fresh })
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

    /// How the state is spread.
    pub fn layout(&self) -> Layout {
        self.node.layout
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

    fn part(&self, partition: PartitionId) -> Option<&Arc<Part>> {
        self.parts.get(usize::from(partition.0))
    }

    /// The tasks that append, which give their leases back.
    fn rules(&self) -> Vec<tokio::task::JoinHandle<()>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter_mut().filter_map(Running::take_rule).collect()
    }
}

impl Log for ClusterLog {
    fn submit(&self, command: Command, reply: Reply) {
        let partition = self.node.layout.of(&command);
        let (Some(part), Some(directory)) = (self.part(partition), self.part(Layout::DIRECTORY)) else { return };
        let blobs = command.pointers();
        if partition == Layout::DIRECTORY || blobs.is_empty() {
            return part.submit(command, reply);
        }
        // Blobs are the directory's: it is asked first whether they are there, and keeps them from then on.
        let (part, reached, asked) = (part.clone(), directory.reached.clone(), Command::PointTo(blobs.clone()));
        directory.submit(
            asked,
            Box::new(move |answer, wakes| match answer {
                // What was accepted before is answered as it was, even if they are gone by now.
                Answer::Refused(Refusal::NotFound(_)) => part.submit(command, reply),
                Answer::Refused(refusal) => reply(Answer::Refused(refusal), wakes),
                _ => {
                    let since = reached.borrow().position;
                    part.submit(Command::Pointing { blobs, since, command: Box::new(command) }, reply);
                }
            }),
        );
    }

    fn ack(&self, device: DeviceId, partition: PartitionId, pos: Pos) {
        if let Some(part) = self.part(partition) {
            part.ack(device, pos);
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
        Counters { commands: self.parts.iter().map(|part| part.reached.borrow().commands).sum(), syncs: 0 }
    }

    fn limit_pages(&self, _: Option<u32>) {
        tracing::warn!("a node of a cluster has no limit of pages");
    }

    fn leave(&self) {
        self.node.draining.send_replace(true);
        let (node, applied) = (self.node.clone(), watching::applied(&self.parts));
        self.runtime.spawn(async move { status::tell(&node, applied).await });
    }

    /// Gives the leases back, then ends the tasks and the replicas. Blocks.
    fn stop(&self) {
        self.node.draining.send_replace(true);
        self.parts.iter().for_each(|part| part.backlog().stop());
        let rules = self.rules();
        let aborts: Vec<_> = rules.iter().map(tokio::task::JoinHandle::abort_handle).collect();
        if self.runtime.block_on(async { timeout(HAND_OVER, join_all(rules)).await }).is_err() {
            tracing::warn!("NATS does not answer; the leases end by themselves");
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Running::stop);
    }
}

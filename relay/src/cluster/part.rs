//! A partition at this node: its database, what waits for its log, and the tasks that look after both.

use super::JoinError;
use super::looking::Looked;
use super::nats::Stream;
use super::node::Node;
use super::pending::Pending;
use super::replica::{Reached, Replica};
use super::{appending, forwarding, looking, snapshots, watching};
use crate::log::{Backlog, Reply, busy};
use crate::mailbox::Wakes;
use aside_protocol::{DeviceId, PartitionId, Pos};
use aside_relay_core::record::Submission;
use aside_relay_core::{Command, Core, CoreError, Reader};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Batches of commands that may wait for being appended here.
const BATCHES: usize = 256;

/// The directory, as the other partitions of its node see it.
#[derive(Clone)]
pub(super) struct Directory {
    /// Its database.
    pub(super) reader: Arc<Mutex<Reader>>,
    pub(super) reached: watch::Receiver<Reached>,
}

/// What the tasks of a partition share.
pub(super) struct Part {
    pub(super) node: Arc<Node>,
    pub(super) id: PartitionId,
    pub(super) log: Stream,
    /// The replica's file.
    pub(super) database: PathBuf,
    backlog: Mutex<Backlog>,
    pub(super) submitted: Notify,
    pending: Arc<Mutex<Pending>>,
    pub(super) reached: watch::Receiver<Reached>,
    /// None of the directory itself.
    pub(super) directory: Option<Directory>,
    /// To the task that appends, if this node is to.
    pub(super) appending: mpsc::Sender<Submission>,
    /// Something stands in the log that does not come: it is to be followed anew.
    pub(super) follow_anew: Notify,
    /// When this node last handed it over, unless another one took it.
    handed: Mutex<Option<Instant>>,
    looked: Mutex<Looked>,
    /// The lease has become nobody's, or is meant for this node.
    pub(super) vacated: Notify,
}

impl Part {
    pub(super) fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When this node last handed it over, unless another one took it.
    pub(super) fn handed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found when it was last looked at.
    pub(super) fn looked(&self) -> Looked {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found just now.
    pub(super) fn set_looked(&self, looked: Looked) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = looked;
    }

    /// Queues a command. When the queue is full the answer is `Busy`, at once.
    pub(super) fn submit(&self, command: Command, reply: Reply) {
        let submitted = self.backlog().submit(command, reply, Instant::now());
        match submitted {
            Ok(()) => self.submitted.notify_one(),
            Err(reply) => reply(busy(), &mut Wakes::default()),
        }
    }

    /// Notes how far a device has stored what lies here.
    pub(super) fn ack(&self, device: DeviceId, pos: Pos) {
        let first = self.backlog().ack(device, pos, Instant::now());
        if first {
            self.submitted.notify_one();
        }
    }

    /// How far this node has applied the directory's changes.
    pub(super) fn known(&self) -> u64 {
        self.directory.as_ref().map_or(0, |directory| directory.reached.borrow().changes)
    }

    /// Waits until the replica has the log up to a position.
    async fn caught_up(&self, position: u64) -> Result<(), JoinError> {
        let (mut reached, mut fatal) = (self.reached.clone(), self.node.fatal.subscribe());
        tokio::select! {
            _ = reached.wait_for(|reached| reached.position >= position) => Ok(()),
            why = fatal.wait_for(Option::is_some) => {
                Err(JoinError::Broken(why.ok().and_then(|why| why.clone()).unwrap_or_default()))
            }
        }
    }
}

/// A partition's tasks and its replica.
pub(super) struct Running {
    pub(super) part: Arc<Part>,
    replica: Arc<Replica>,
    /// Up to where the log went when this node came.
    last: u64,
    batches: Option<mpsc::Receiver<Submission>>,
    /// The task that appends, whose end is waited for: it gives the lease back.
    rule: Option<JoinHandle<()>>,
}

impl Running {
    /// Begins to follow the log with a database that may be behind.
    pub(super) async fn begin(
        node: &Arc<Node>,
        (core, database): (Core, PathBuf),
        directory: Option<Directory>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, JoinError> {
        let (id, applied) = (core.partition(), core.view().applied().map_err(CoreError::from)?);
        let log = node.nats.log(id);
        let (first, last) = log.bounds().await?;
        if first > applied + 1 {
            return Err(JoinError::Behind { first, applied });
        }
        let mut drawn = [0; 8];
        getrandom::fill(&mut drawn).map_err(|error| CoreError::Thread(error.to_string()))?;
        let pending = Arc::new(Mutex::new(Pending::new(u64::from_be_bytes(drawn) >> 1)));
        let behind = directory.as_ref().map(|directory: &Directory| directory.reached.clone());
        let replica = Arc::new(Replica::start(core, node.hub.clone(), pending.clone(), behind)?);
        let (appending, batches) = mpsc::channel(BATCHES);
        let part = Arc::new(Part {
            node: node.clone(),
            id,
            log,
            database,
            backlog: Mutex::default(),
            submitted: Notify::new(),
            pending,
            reached: replica.reached(),
            directory,
            appending,
            follow_anew: Notify::new(),
            handed: Mutex::default(),
            looked: Mutex::new(Looked::well()),
            vacated: Notify::new(),
        });
        tasks.spawn(watching::follow(part.clone(), replica.clone(), applied));
        Ok(Self { part, replica, last, batches: Some(batches), rule: None })
    }

    /// The directory, for the other partitions.
    pub(super) fn directory(&self) -> Result<Directory, CoreError> {
        let reader = Reader::open(&self.part.database)?;
        Ok(Directory { reader: Arc::new(Mutex::new(reader)), reached: self.part.reached.clone() })
    }

    /// Waits until it has what the log had when this node came.
    pub(super) async fn caught_up(&self) -> Result<(), JoinError> {
        self.part.caught_up(self.last).await
    }

    /// Takes part in everything from now on.
    pub(super) fn start(&mut self, tasks: &mut JoinSet<()>) {
        self.part.set_looked(Looked::well());
        tasks.spawn(looking::look(self.part.clone()));
        tasks.spawn(watching::tell_hashes(self.part.clone()));
        tasks.spawn(forwarding::forward(self.part.clone()));
        tasks.spawn(forwarding::collect(self.part.clone()));
        tasks.spawn(snapshots::keep(self.part.clone()));
        self.rule = self.batches.take().map(|batches| tokio::spawn(appending::rule(self.part.clone(), batches)));
    }

    /// The task that appends, once.
    pub(super) fn take_rule(&mut self) -> Option<JoinHandle<()>> {
        self.rule.take()
    }

    /// Applies what has come, checkpoints, and ends the replica's thread. Blocks.
    pub(super) fn stop(&self) {
        self.replica.stop();
    }
}

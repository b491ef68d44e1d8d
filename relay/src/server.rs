//! A running relay: everything started in order, and ended in order.

use crate::admin;
use crate::blobs::{self, Blobs, Place};
use crate::clock::{self, Now};
use crate::cluster::{ClusterLog, JoinError, Nats, Settings, fetch_snapshot};
use crate::data::{DataDir, DataError};
use crate::hub::Hub;
use crate::identity::{Identity, IdentityError};
use crate::invite::{self, InviteError};
use crate::listen::{self, quic, tls};
use crate::log::{LocalLog, Log};
use crate::nodes::Nodes;
use crate::readers::Readers;
use crate::session::Setup;
use aside_protocol::LogId;
use aside_protocol::invite::Invite;
use aside_protocol::limits::{MAX_BLOB, WINDOW_ENVELOPES};
use aside_protocol::login::Mode;
use aside_relay_core::command_log::CommandLog;
use aside_relay_core::{BlobLimits, Command, Core, CoreError, Location, Reader, Stamped};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Pushes a session may have waiting before it reads the log instead.
pub const PUSH_QUEUE: usize = 64;
/// Connections at a time; further ones are told to come back later.
pub const CONNECTIONS: usize = 10_000;
/// What an account may store, unless the host says otherwise.
pub const BLOBS: BlobLimits = BlobLimits { quota: 1 << 30, most: MAX_BLOB };
/// Connections get this long to hear a goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// What a relay is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen; port 0 picks one.
    pub listen: SocketAddr,
    /// What invites say; empty for the address listened at.
    pub addresses: Vec<String>,
    /// The database was restored from an older copy: clients are told by a new log id.
    pub restored: bool,
    /// Gets every applied command.
    pub record: Option<PathBuf>,
    /// Pushes a session may have waiting.
    pub push_queue: usize,
    /// Envelopes a connection may have in flight.
    pub window: usize,
    /// Connections at a time.
    pub connections: usize,
    /// What accounts may store.
    pub blobs: BlobLimits,
    /// Where blobs lie, if not in the data folder or the cluster's NATS servers; a folder that all nodes share.
    pub blob_folder: Option<PathBuf>,
    /// The cluster this node belongs to.
    pub cluster: Option<Settings>,
    /// Clients are told where the nodes are.
    pub tell_nodes: bool,
}

impl Options {
    /// The usual ones.
    pub fn new(data: PathBuf, listen: SocketAddr) -> Self {
        let (push_queue, window) = (PUSH_QUEUE, WINDOW_ENVELOPES);
        let (connections, blobs, addresses) = (CONNECTIONS, BLOBS, Vec::new());
        let (restored, record, blob_folder, cluster, tell_nodes) = (false, None, None, None, true);
        Self {
            data,
            listen,
            addresses,
            restored,
            record,
            push_queue,
            window,
            connections,
            blobs,
            blob_folder,
            cluster,
            tell_nodes,
        }
    }
}

/// Why a relay does not start; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The database.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The TLS configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The address.
    #[error("cannot listen at {0}: {1}; is another program using the port? name another with --listen")]
    Listen(SocketAddr, io::Error),
    /// The same address, for QUIC.
    #[error(
        "cannot listen at UDP port {0}, which QUIC needs beside TCP: {1}; is another program using it? \
         name another port with --listen"
    )]
    ListenUdp(SocketAddr, io::Error),
    /// The QUIC configuration.
    #[error("QUIC cannot be set up: {0}")]
    Quic(String),
    /// The folder of blobs.
    #[error("the folder of blobs cannot be used: {0}; correct its permissions")]
    Blobs(io::Error),
    /// A node's folder, without its cluster.
    #[error(
        "the data folder belongs to a node of a cluster, whose states must stay equal; run it with serve --cluster, or ask \
         the running node"
    )]
    Member,
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] JoinError),
    /// The invites' addresses.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// Something else of the system's.
    #[error("the relay cannot start: {0}")]
    System(#[from] io::Error),
}

/// What every connection of a relay uses.
pub struct Shared {
    /// Identity and limits.
    pub setup: Arc<Setup>,
    /// Where commands go.
    pub log: Arc<dyn Log>,
    /// Who is connected.
    pub hub: Arc<Hub>,
    /// Where reads go.
    pub readers: Readers,
    /// Where blobs lie.
    pub blobs: Blobs,
    /// Pushes a session may have waiting.
    pub push_queue: usize,
    /// Connections at a time, those under way not counted.
    pub most: usize,
    /// Room for connections.
    pub room: Arc<Semaphore>,
    /// Where the relay's nodes are, for clients.
    pub nodes: watch::Receiver<Arc<Nodes>>,
    /// What this node's invites say first.
    addresses: Vec<String>,
    /// Whether this node may serve; always, if it is alone.
    serving: watch::Receiver<bool>,
    started: Instant,
    stop: watch::Sender<bool>,
}

impl Shared {
    /// The time.
    pub fn now(&self) -> Now {
        clock::now(self.started)
    }

    /// What invites say: this node's addresses, then those of the others.
    pub fn invite_addresses(&self) -> Vec<String> {
        self.nodes.borrow().behind(&self.addresses)
    }

    /// Whether connections may be opened here now.
    pub fn serves(&self) -> bool {
        *self.serving.borrow()
    }

    /// Waits until the relay stops.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stopping();
        async move {
            // The sender lives as long as the relay.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    /// Turns true when the relay stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}

/// A running relay.
pub struct Server {
    shared: Arc<Shared>,
    log: Arc<dyn Log>,
    fatal: watch::Receiver<Option<String>>,
    listen: SocketAddr,
    tasks: JoinSet<()>,
    admin: PathBuf,
    _data: DataDir,
}

impl Server {
    /// Starts a relay. When this returns it accepts connections.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let data = DataDir::lock(&options.data)?;
        let identity = Identity::open(&data.identity())?;
        let tls = tls::configs(identity.node_certificate()?)?;
        let hub = Hub::new();
        let opened = open_log(&data, &options, &identity, hub.clone()).await?;
        let log_id = opened.id;
        let (listener, udp, listen) = listen::bind(options.listen).await?;
        let endpoint = quic::endpoint(udp, tls.quic, &identity)?;
        let addresses = invite::addresses(&options.addresses, listen)?;
        invite::keep_addresses(&data.addresses(), &addresses)?;
        let log = opened.log;
        let nodes = nodes(opened.node.as_deref(), &options, &addresses).await;
        let key = identity.derive("leave to upload");
        let setup =
            Arc::new(Setup { identity, mode: Mode::Direct, log: log_id, window: options.window, blobs: options.blobs });
        let own = data.blobs();
        let place = match (options.blob_folder, options.cluster, &opened.node) {
            (Some(folder), Some(cluster), _) => Place::Shared { folder, node: cluster.node },
            (None, _, Some(node)) => Place::Nats { folder: own, pieces: node.pieces() },
            (folder, _, _) => Place::Own(folder.unwrap_or(own)),
        };
        let blobs = Blobs::open(place, &key).map_err(StartError::Blobs)?;
        let readers = Readers::start(&data.database())?;
        let room = Arc::new(Semaphore::new(options.connections));
        let (stop, _) = watch::channel(false);
        let (push_queue, most, started) = (options.push_queue, options.connections, Instant::now());
        let serving = opened.serving;
        let shared = Arc::new(Shared {
            setup,
            log: log.clone(),
            hub,
            readers,
            blobs,
            push_queue,
            most,
            room,
            nodes,
            addresses,
            serving,
            started,
            stop,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(listen::accept(listener, tls.tcp, shared.clone()));
        tasks.spawn(quic::accept(endpoint, shared.clone()));
        tasks.spawn(blobs::sweep(shared.clone()));
        let admin = data.admin();
        let socket = admin::bind(&admin)?;
        tasks.spawn(admin::serve(socket, shared.clone(), log.clone()));
        Ok(Self { shared, log, fatal: opened.fatal, listen, tasks, admin, _data: data })
    }

    /// Waits until something has happened that only a person can repair; what it is.
    pub async fn broken(&self) -> String {
        let mut fatal = self.fatal.clone();
        match fatal.wait_for(Option::is_some).await.map(|why| why.clone()) {
            Ok(Some(why)) => why,
            _ => std::future::pending().await,
        }
    }

    /// Where it listens.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// How many devices are connected.
    pub fn connected(&self) -> usize {
        self.shared.hub.connected()
    }

    /// Makes an invite.
    pub async fn invite(&self, uses: u32, valid: Duration) -> Result<Invite, InviteError> {
        invite::create(&self.shared, uses, valid).await
    }

    /// Stops: no new connections, a goodbye to all, what waits is applied, the database is checkpointed.
    pub async fn stop(mut self) {
        self.shared.stop.send_replace(true);
        let ended = tokio::time::timeout(GOODBYE, async { while self.tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            self.tasks.abort_all();
        }
        let (log, shared) = (self.log.clone(), self.shared.clone());
        let threads = tokio::task::spawn_blocking(move || {
            log.stop();
            shared.readers.stop();
        });
        if threads.await.is_err() {
            tracing::error!("the threads of the database did not stop in order");
        }
        if let Err(error) = std::fs::remove_file(&self.admin) {
            tracing::debug!(%error, "the admin socket was gone already");
        }
    }
}

/// What clients are told. A relay alone tells the names its host gave it; where it merely listens, they need not be told.
async fn nodes(node: Option<&ClusterLog>, options: &Options, addresses: &[String]) -> watch::Receiver<Arc<Nodes>> {
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
struct Opened {
    log: Arc<dyn Log>,
    id: LogId,
    serving: watch::Receiver<bool>,
    fatal: watch::Receiver<Option<String>>,
    node: Option<Arc<ClusterLog>>,
}

async fn open_log(data: &DataDir, options: &Options, identity: &Identity, hub: Arc<Hub>) -> Result<Opened, StartError> {
    let Some(settings) = &options.cluster else {
        let core = open_core(data, options.restored)?;
        let id = core.view().log().map_err(CoreError::from)?.unwrap_or(LogId([0; 16]));
        let record = options.record.as_deref().map(CommandLog::open).transpose()?;
        let log = Arc::new(LocalLog::start(core, hub, record)?);
        let (serving, fatal) = (watch::channel(true).1, watch::channel(None).1);
        return Ok(Opened { log, id, serving, fatal, node: None });
    };
    let node = Arc::new(join(data, settings, identity, hub).await?);
    let reader = Reader::open(&data.database())?;
    let id = reader.snapshot(|view| view.log())?.unwrap_or(LogId([0; 16]));
    let (serving, fatal) = (node.serving(), node.fatal());
    Ok(Opened { log: node.clone(), id, serving, fatal, node: Some(node) })
}

/// Joins the cluster, if this node's identity and database are its own.
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
    data.prepare_database()?;
    let mut core = Core::open(&Location::File(data.database()))?;
    let applied = core.view().applied().map_err(CoreError::from)?;
    match core.view().log().map_err(CoreError::from)? {
        Some(log) if applied > 0 && log.to_hex() != facts.log => return Err(JoinError::OtherLog),
        Some(_) if applied == 0 && core.state_hash()?.to_hex() != facts.base => return Err(JoinError::OtherBase),
        _ => {}
    }
    // The log of a new cluster begins behind its first snapshot.
    if nats.bounds().await?.0 > applied + 1 {
        drop(core);
        fetch_snapshot(&nats, &data.database()).await?;
        core = Core::open(&Location::File(data.database()))?;
    }
    ClusterLog::join(nats, settings, (core, data.database()), hub).await
}

/// Opens the database and gives a new one its log id. One that was restored from an older copy gets another.
pub(crate) fn open_core(data: &DataDir, restored: bool) -> Result<Core, StartError> {
    data.prepare_database()?;
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

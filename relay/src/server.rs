//! A running relay: everything started in order, and ended in order.

mod error;
mod opening;
mod options;
mod shared;

pub use error::StartError;
pub(crate) use opening::open_core;
pub use options::{BLOBS, CONNECTIONS, Options, PUSH_QUEUE};
pub use shared::Shared;

use crate::admin;
use crate::blobs::{self, Blobs};
use crate::data::DataDir;
use crate::hub::Hub;
use crate::identity::Identity;
use crate::invite::{self, InviteError};
use crate::listen::{self, quic, tls};
use crate::log::Log;
use crate::readers::Readers;
use crate::session::Setup;
use aside_protocol::invite::Invite;
use aside_protocol::login::Mode;
use opening::{blob_place, nodes, open_log};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections get this long to hear a goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

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
        let place = blob_place(&data, &options, opened.node.as_deref());
        let blobs = Blobs::open(place, &key).map_err(StartError::Blobs)?;
        let readers = Readers::start(&data.databases(opened.layout.partitions()))?;
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
        self.log.leave();
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

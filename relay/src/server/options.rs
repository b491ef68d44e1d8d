//! What a relay is started with, and what it takes if nobody says otherwise.

use crate::cluster::Settings;
use aside_protocol::limits::{MAX_BLOB, WINDOW_ENVELOPES};
use aside_relay_core::BlobLimits;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Pushes a session may have waiting before it reads the log instead.
pub const PUSH_QUEUE: usize = 64;
/// Connections at a time; further ones are told to come back later.
pub const CONNECTIONS: usize = 10_000;
/// What an account may store, unless the host says otherwise.
pub const BLOBS: BlobLimits = BlobLimits { quota: 1 << 30, most: MAX_BLOB };
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

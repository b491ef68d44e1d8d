//! What a cluster is and how a node reaches it.

use super::nats::NatsError;
use aside_protocol::{Hash, LogId};
use aside_relay_core::Layout;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How a node reaches its cluster.
#[derive(Debug, Clone)]
pub struct Settings {
    /// NATS servers, `nats://` or `tls://`, separated by commas.
    pub servers: String,
    /// The cluster's name: several may share NATS servers.
    pub cluster: String,
    /// This node's name, one of its own.
    pub node: String,
    /// A file with NATS credentials.
    pub credentials: Option<PathBuf>,
    /// The certificate authority of the NATS servers.
    pub authority: Option<PathBuf>,
}

/// What all nodes must agree on; written once, by `cluster init` or `import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Of this description.
    pub version: u64,
    /// Pin of the relay's identity, which all nodes share, in hexadecimal.
    pub pin: String,
    /// How many partitions there are, once and for all.
    pub partitions: u16,
    /// The log id that clients know, in hexadecimal: a state with another one is of another cluster, or of an earlier one.
    pub log: String,
}

impl Facts {
    /// The version that this code writes and reads.
    pub const VERSION: u64 = 2;

    /// Of a relay with this identity, so many partitions, and this name of its log.
    pub fn new(pin: &Hash, layout: Layout, log: &LogId) -> Self {
        Self { version: Self::VERSION, pin: pin.to_hex(), partitions: layout.partitions(), log: log.to_hex() }
    }

    /// How the state is spread.
    pub fn layout(&self) -> Result<Layout, NatsError> {
        Layout::new(self.partitions).ok_or(NatsError::BadFacts)
    }
}

/// A name that may stand in a NATS subject.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=32).contains(&name.len()) && name.chars().all(fits)
}

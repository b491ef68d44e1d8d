//! What all tasks of a node share, whichever partition they are of.

use super::nats::Nats;
use super::places::Places;
use crate::hub::Hub;
use crate::nodes::Nodes;
use aside_relay_core::Layout;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A node that NATS answers only after so long, so often in a row, leaves the appending to others.
const SLOW: (Duration, u32) = (Duration::from_millis(800), 3);

/// A node of the cluster: this one.
pub(super) struct Node {
    pub(super) nats: Nats,
    pub(super) name: String,
    pub(super) layout: Layout,
    /// Whose turn it is to copy a database: one at a time.
    pub(super) snapshots: tokio::sync::Mutex<()>,
    /// What clients are told, for `cluster status`.
    pub(super) addresses: Mutex<Vec<String>>,
    pub(super) hub: Arc<Hub>,
    /// Whether this node may serve: it hears NATS, and is not behind.
    pub(super) serving: watch::Sender<bool>,
    /// What nobody can repair but a person; the node stops.
    pub(super) fatal: watch::Sender<Option<String>>,
    /// Where all nodes are, for clients.
    pub(super) nodes: watch::Sender<Arc<Nodes>>,
    /// Which node is to append where.
    places: Mutex<Places>,
    /// How often in a row NATS took long to take what this node says of itself.
    slow: AtomicU32,
    /// This node gives its leases back and takes no other, and its connections go.
    pub(super) draining: watch::Sender<bool>,
}

impl Node {
    /// One that does not serve yet and knows no other.
    pub(super) fn new(nats: Nats, name: &str, layout: Layout, hub: Arc<Hub>) -> Self {
        Self {
            nats,
            name: name.to_owned(),
            layout,
            snapshots: tokio::sync::Mutex::default(),
            addresses: Mutex::default(),
            hub,
            serving: watch::channel(false).0,
            fatal: watch::channel(None).0,
            nodes: watch::channel(Arc::default()).0,
            places: Mutex::default(),
            slow: AtomicU32::new(0),
            draining: watch::channel(false).0,
        }
    }

    /// Whether NATS answers soon enough for this node to append.
    pub(super) fn is_quick(&self) -> bool {
        self.slow.load(Ordering::Relaxed) < SLOW.1
    }

    /// NATS has answered after so long.
    pub(super) fn answered_after(&self, time: Duration) {
        let slow = self.slow.load(Ordering::Relaxed);
        self.slow.store(if time < SLOW.0 { 0 } else { slow.saturating_add(1) }, Ordering::Relaxed);
    }

    /// Which node is to append where, as this one sees it.
    pub(super) fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

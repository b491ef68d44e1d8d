//! What every connection of a running relay uses.

use crate::blobs::Blobs;
use crate::clock::{self, Now};
use crate::hub::Hub;
use crate::log::Log;
use crate::nodes::Nodes;
use crate::readers::Readers;
use crate::session::Setup;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Semaphore, watch};

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
    pub(super) addresses: Vec<String>,
    /// Whether this node may serve; always, if it is alone.
    pub(super) serving: watch::Receiver<bool>,
    pub(super) started: Instant,
    pub(super) stop: watch::Sender<bool>,
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

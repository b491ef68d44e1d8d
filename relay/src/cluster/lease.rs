//! The owner's lease: a key that only one node can make, and that goes away unless that node renews it. For liveness only.

use super::nats::{LEASE, Nats, NatsError};
use async_nats::jetstream::kv::Store;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// The key.
const OWNER: &str = "owner";

/// A lease that this node has.
pub(super) struct Lease {
    store: Store,
    node: Bytes,
    revision: u64,
    renewed: Instant,
}

impl Lease {
    /// How often it is renewed.
    pub(super) const EVERY: Duration = Duration::from_millis(LEASE.as_millis() as u64 / 3);

    /// Takes it, if nobody has it.
    pub(super) async fn take(nats: &Nats, node: &str) -> Result<Option<Self>, NatsError> {
        let (store, node) = (nats.live().await?, Bytes::from(node.to_owned()));
        let asked = Instant::now();
        match store.create(OWNER, node.clone()).await {
            Ok(revision) => Ok(Some(Self { store, node, revision, renewed: asked })),
            Err(_) => Ok(None),
        }
    }

    /// Keeps it; `false`: it is lost, or NATS does not say so before it would be.
    pub(super) async fn renew(&mut self) -> bool {
        let asked = Instant::now();
        let renewed = tokio::time::timeout(LEASE / 2, self.store.update(OWNER, self.node.clone(), self.revision)).await;
        match renewed {
            Ok(Ok(revision)) => (self.revision, self.renewed) = (revision, asked),
            _ if self.renewed.elapsed() < LEASE - Self::EVERY => {}
            _ => return false,
        }
        true
    }

    /// Gives it back, so that another node need not wait for its end.
    pub(super) async fn release(self) {
        // It ends by itself soon.
        let _ = self.store.delete_expect_revision(OWNER, Some(self.revision)).await;
    }
}

//! The owner's lease: a key that only one node can make, and that goes away unless that node renews it. For liveness only.
//!
//! The key's value is the name of the node that is to have the lease. Its holder gives it to another one by writing that
//! one's name there, which then finds it and takes it over.

use super::nats::{LEASE, Nats, NatsError};
use async_nats::jetstream::kv::Store;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// The key.
pub(super) const OWNER: &str = "owner";

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

    /// Takes it, if nobody has it or it is meant for this node.
    pub(super) async fn take(nats: &Nats, node: &str) -> Result<Option<Self>, NatsError> {
        let (store, node) = (nats.live().await?, Bytes::from(node.to_owned()));
        let asked = Instant::now();
        let revision = match store.create(OWNER, node.clone()).await {
            Ok(revision) => Some(revision),
            Err(_) => match store.entry(OWNER).await {
                Ok(Some(entry)) if entry.value == node => store.update(OWNER, node.clone(), entry.revision).await.ok(),
                _ => None,
            },
        };
        // An answer that took as long as the lease lasts says nothing any more.
        let revision = revision.filter(|_| asked.elapsed() < LEASE - Self::EVERY);
        Ok(revision.map(|revision| Self { store, node, revision, renewed: asked }))
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

    /// Gives it to another node. If that one does not take it, it ends by itself.
    pub(super) async fn hand_to(self, node: &str) {
        // If it was not written the lease ends by itself, and any node takes it.
        let _ = self.store.update(OWNER, Bytes::from(node.to_owned()), self.revision).await;
    }
}

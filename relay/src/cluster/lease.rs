//! An owner's lease: a key that only one node can make, and that goes away unless that node renews it. For liveness only.
//!
//! The key's value is the name of the node that is to have the lease. Its holder gives it to another one by writing that
//! one's name there, which then finds it and takes it over.

use super::nats::{LEASE, Nats, NatsError, failed};
use aside_protocol::PartitionId;
use async_nats::jetstream::kv::{Operation, Store};
use bytes::Bytes;
use std::time::{Duration, Instant};

/// Keys begin so; the partition follows.
pub(super) const OWNER: &str = "owner.";

fn key(partition: PartitionId) -> String {
    format!("{OWNER}{}", partition.0)
}

/// Who has a lease, or is to have it.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) node: String,
    revision: u64,
}

/// A lease that this node has.
pub(super) struct Lease {
    store: Store,
    key: String,
    node: Bytes,
    revision: u64,
    renewed: Instant,
}

impl Lease {
    /// How often it is renewed.
    pub(super) const EVERY: Duration = Duration::from_millis(LEASE.as_millis() as u64 / 3);

    /// Whose it is, or is meant for.
    pub(super) async fn look(nats: &Nats, partition: PartitionId) -> Result<Option<Holder>, NatsError> {
        let entry = nats.live().await?.entry(key(partition)).await.map_err(failed)?;
        let held = entry.filter(|entry| entry.operation == Operation::Put);
        Ok(held
            .map(|entry| Holder { node: String::from_utf8_lossy(&entry.value).into_owned(), revision: entry.revision }))
    }

    /// Takes it, as it was found: nobody's, or meant for this node. None if it is not so any more.
    pub(super) async fn take(
        nats: &Nats,
        partition: PartitionId,
        node: &str,
        found: Option<&Holder>,
    ) -> Result<Option<Self>, NatsError> {
        let (store, key, node) = (nats.live().await?, key(partition), Bytes::from(node.to_owned()));
        let asked = Instant::now();
        let revision = match found {
            None => store.create(&key, node.clone()).await.ok(),
            Some(holder) => store.update(&key, node.clone(), holder.revision).await.ok(),
        };
        // An answer that took as long as the lease lasts says nothing any more.
        let revision = revision.filter(|_| asked.elapsed() < LEASE - Self::EVERY);
        Ok(revision.map(|revision| Self { store, key, node, revision, renewed: asked }))
    }

    /// Keeps it; `false`: it is lost, or NATS does not say so before it would be.
    pub(super) async fn renew(&mut self) -> bool {
        let asked = Instant::now();
        let renewed =
            tokio::time::timeout(LEASE / 2, self.store.update(&self.key, self.node.clone(), self.revision)).await;
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
        let _ = self.store.delete_expect_revision(&self.key, Some(self.revision)).await;
    }

    /// Gives it to another node. If that one does not take it, it ends by itself.
    pub(super) async fn hand_to(self, node: &str) {
        // If it was not written the lease ends by itself, and any node takes it.
        let _ = self.store.update(&self.key, Bytes::from(node.to_owned()), self.revision).await;
    }
}

//! What nodes and tools say to one another, outside of the logs. All of it may be lost.

use super::{LEASE, Nats, NatsError, PATIENCE, Stream, failed};
use crate::cluster::asking::{Asked, DRAIN};
use async_nats::{Request, Subscriber};
use bytes::Bytes;
use std::time::Duration;

/// The owner may take so long for a snapshot.
const ASKED: Duration = Duration::from_secs(300);

impl Stream {
    /// Where commands for a node that appends arrive.
    fn submit_subject(&self, node: &str) -> String {
        format!("aside.{}.submit.{}.{node}", self.nats.name, self.partition.0)
    }

    /// Where the owner is asked for something.
    fn owner_subject(&self) -> String {
        format!("aside.{}.owner.{}", self.nats.name, self.partition.0)
    }

    /// Sends commands to the node that appends. They may be lost.
    pub(in crate::cluster) async fn submit(&self, node: &str, entries: Bytes) -> Result<(), NatsError> {
        self.nats.client.publish(self.submit_subject(node), entries).await.map_err(failed)
    }

    /// Commands sent to this node.
    pub(in crate::cluster) async fn submitted(&self, node: &str) -> Result<Subscriber, NatsError> {
        self.nats.client.subscribe(self.submit_subject(node)).await.map_err(failed)
    }

    /// Asks the owner for something, which may take it a while. None: nobody appends.
    pub(in crate::cluster) async fn ask(&self, what: &Asked) -> Option<String> {
        let patience = match what {
            Asked::Snapshot => ASKED,
            // Between two owners it may reach nobody, and is asked again.
            Asked::Who => LEASE / 6,
            Asked::Verify | Asked::Move(_) => PATIENCE,
        };
        self.nats.ask_at(self.owner_subject(), what.to_text().into(), patience).await
    }

    /// Has whoever appends make itself known. It may be lost.
    pub(in crate::cluster) async fn call_owner(&self) {
        // It is called again.
        let _ = self.nats.client.publish(self.owner_subject(), Bytes::new()).await;
    }

    /// What tools ask of the owner, and nodes, which wait for no answer.
    pub(in crate::cluster) async fn asked(&self) -> Result<Subscriber, NatsError> {
        self.nats.client.subscribe(self.owner_subject()).await.map_err(failed)
    }
}

impl Nats {
    /// Where tools ask a node for something.
    fn node_subject(&self, node: &str) -> String {
        format!("aside.{}.node.{node}", self.name)
    }

    /// Where nodes say which devices have connected to them.
    fn attached_subject(&self) -> String {
        format!("aside.{}.attached", self.name)
    }

    /// Has a node send its people to others. None: it does not answer.
    pub(in crate::cluster) async fn ask_to_drain(&self, node: &str) -> Option<String> {
        self.ask_at(self.node_subject(node), Bytes::from_static(DRAIN), PATIENCE).await
    }

    async fn ask_at(&self, subject: String, what: Bytes, patience: Duration) -> Option<String> {
        let request = Request::new().payload(what).timeout(Some(patience));
        let answer = self.client.send_request(subject, request).await.ok()?;
        Some(String::from_utf8_lossy(&answer.payload).into_owned())
    }

    /// What tools ask of a node.
    pub(in crate::cluster) async fn asked_of(&self, node: &str) -> Result<Subscriber, NatsError> {
        self.client.subscribe(self.node_subject(node)).await.map_err(failed)
    }

    /// Answers a tool.
    pub(in crate::cluster) async fn answer(&self, to: async_nats::Subject, text: String) {
        // Whoever asked may have gone.
        let _ = self.client.publish(to, text.into()).await;
    }

    /// Tells the other nodes that a device has connected here.
    pub(in crate::cluster) async fn tell_attached(&self, bytes: Bytes) {
        // A device that is connected twice for a while gets everything on both.
        let _ = self.client.publish(self.attached_subject(), bytes).await;
    }

    /// Devices that have connected to any node.
    pub(in crate::cluster) async fn attached(&self) -> Result<Subscriber, NatsError> {
        self.client.subscribe(self.attached_subject()).await.map_err(failed)
    }
}

//! Following the logs, and what comes of a node that may not serve, or whose device is at another one.

use super::node::Node;
use super::part::Part;
use super::replica::{Logged, Replica};
use super::tools;
use aside_protocol::DeviceId;
use aside_protocol::frame::GoodbyeReason;
use aside_relay_core::record::Record;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Pause before the log is followed anew.
const AGAIN: Duration = Duration::from_millis(200);

/// Reads a partition's log from behind a position on, for ever, and gives it to the replica.
pub(super) async fn follow(part: Arc<Part>, replica: Arc<Replica>, applied: u64) {
    let Some(records) = replica.records() else { return };
    // The replica keeps what it has: without this task nothing more comes.
    drop(replica);
    let mut next = applied + 1;
    loop {
        match part.log.follow(next).await {
            Ok(mut messages) => {
                while let Some(message) = next_message(&part, &mut messages).await {
                    let Ok(position) = message.info().map(|info| info.stream_sequence) else { break };
                    if position > next {
                        let why = format!(
                            "the log of partition {} goes on at {position}, and this node has it up to {}: it was cut off behind \
                             a snapshot meanwhile; start this node again, and it begins with that",
                            part.id.0,
                            next - 1
                        );
                        return stop(&part.node, why);
                    }
                    if position < next {
                        continue;
                    }
                    let record = match Record::decode(&message.payload) {
                        Ok(record) => record,
                        Err(why) => return stop(&part.node, why.to_string()),
                    };
                    if records.send(Logged { position, record }).await.is_err() {
                        return;
                    }
                    next += 1;
                }
            }
            Err(why) => tracing::debug!(%why, "the log cannot be followed"),
        }
        sleep(AGAIN).await;
    }
}

/// The next message; none when the log is to be followed anew. NATS tells of a request that was lost with its server only
/// after many seconds.
async fn next_message(part: &Part, messages: &mut pull::Ordered) -> Option<Message> {
    tokio::select! {
        message = messages.next() => message?.ok(),
        () = part.follow_anew.notified() => None,
    }
}

fn stop(node: &Node, why: String) {
    tracing::error!(why, "this node stops");
    node.serving.send_replace(false);
    node.fatal.send_replace(Some(why));
}

/// How far this node has applied each partition.
pub(super) fn applied(parts: &[Arc<Part>]) -> Vec<u64> {
    parts.iter().map(|part| part.reached.borrow().position).collect()
}

/// Tells the hash of a partition's state whenever one was wanted.
pub(super) async fn tell_hashes(part: Arc<Part>) {
    let (mut reached, mut told) = (part.reached.clone(), None);
    while reached.changed().await.is_ok() {
        let checked = reached.borrow_and_update().checked;
        if let Some((position, hash)) = checked.filter(|_| checked != told) {
            told = checked;
            tools::tell_hash(&part, position, &hash).await;
        }
    }
}

pub(super) fn serve(node: &Node, may: bool) {
    // Once it is drained it serves no more, whatever was found out just before.
    let may = may && !*node.draining.borrow();
    let changed = node.serving.send_if_modified(|serving| std::mem::replace(serving, may) != may);
    match may {
        true if changed => tracing::info!("this node serves"),
        false if changed => {
            tracing::warn!("this node does not hear NATS, is behind, or cannot store; its connections go elsewhere");
        }
        _ => {}
    }
    if !may {
        // Each time: who was about to log in when it changed has been let in since.
        node.hub.disconnect_all(GoodbyeReason::ShuttingDown);
    }
}

/// A device is connected here: other nodes end its older connections (rule `CON-5`).
pub(super) async fn tell_attached(node: &Node, device: DeviceId) {
    let mut bytes = device.0.to_vec();
    bytes.extend_from_slice(node.name.as_bytes());
    node.nats.tell_attached(bytes.into()).await;
}

/// Ends connections of devices that have connected to another node since.
pub(super) async fn part_devices(node: Arc<Node>) {
    loop {
        if let Ok(mut messages) = node.nats.attached().await {
            while let Some(message) = messages.next().await {
                let parts = message.payload.split_at_checked(16);
                let Some((Some(device), name)) = parts.map(|(id, name)| (DeviceId::from_slice(id), name)) else {
                    continue;
                };
                if name != node.name.as_bytes() {
                    node.hub.disconnect(&device, GoodbyeReason::Replaced);
                }
            }
        }
        sleep(AGAIN).await;
    }
}

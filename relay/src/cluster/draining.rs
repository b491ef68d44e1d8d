//! Emptying a node before it is stopped: it appends no more, takes no new connections, and sends its people to others a few
//! at a time, so that they do not come there all at once.

use super::asking::{DONE, DRAIN};
use super::node::Node;
use aside_protocol::frame::GoodbyeReason;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Everybody is told to go within about this time.
const SPREAD: Duration = Duration::from_secs(20);
/// So many are told together, a part of all, and then there is a pause.
const PARTS: u32 = 100;
/// Pause before control messages are listened for anew, and before it is looked again who is connected.
const AGAIN: Duration = Duration::from_millis(500);

/// Takes a tool's word that this node is to be drained.
pub(super) async fn listen(node: Arc<Node>) {
    loop {
        if let Ok(mut asked) = node.nats.asked_of(&node.name).await {
            while let Some(message) = asked.next().await {
                let (Some(to), DRAIN) = (message.reply, message.payload.as_ref()) else { continue };
                node.draining.send_replace(true);
                node.nats.answer(to, DONE.to_owned()).await;
            }
        }
        sleep(AGAIN).await;
    }
}

/// Waits for that word; then nobody is let in any more, and everybody is sent away.
pub(super) async fn empty(node: Arc<Node>) {
    // Without a sender the node is gone already.
    let _ = node.draining.subscribe().wait_for(|draining| *draining).await;
    node.serving.send_replace(false);
    let devices = node.hub.devices();
    tracing::info!(connections = devices.len(), "this node is drained");
    let mut ticks = interval(SPREAD / PARTS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for part in devices.chunks(devices.len().div_ceil(PARTS as usize).max(1)) {
        ticks.tick().await;
        part.iter().for_each(|device| node.hub.disconnect(device, GoodbyeReason::ShuttingDown));
    }
    // Those who were about to log in when it began.
    loop {
        node.serving.send_replace(false);
        node.hub.disconnect_all(GoodbyeReason::ShuttingDown);
        sleep(AGAIN).await;
    }
}

//! Emptying a node before it is stopped: it appends no more, takes no new connections, and sends its people to others a few
//! at a time, so that they do not come there all at once.

use super::asking::{DONE, DRAIN};
use super::log::Node;
use aside_protocol::frame::GoodbyeReason;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Everybody is told to go within about this time.
const SPREAD: Duration = Duration::from_secs(20);
/// So many are told together, a part of all, and then there is a pause.
const PARTS: u32 = 100;
/// Pause before control messages are listened for anew.
const AGAIN: Duration = Duration::from_millis(500);

/// Waits until a tool asks for it, then drains this node.
pub(super) async fn listen(node: Arc<Node>) {
    loop {
        if let Ok(mut asked) = node.nats.asked_of(&node.name).await {
            while let Some(message) = asked.next().await {
                let (Some(to), DRAIN) = (message.reply, message.payload.as_ref()) else { continue };
                let begins = !node.draining.send_replace(true);
                node.nats.answer(to, DONE.to_owned()).await;
                if begins {
                    drain(&node).await;
                }
            }
        }
        sleep(AGAIN).await;
    }
}

/// The task that appends has seen already that it is over; whoever connects from here on is sent away.
async fn drain(node: &Node) {
    node.serving.send_replace(false);
    let devices = node.hub.devices();
    tracing::info!(connections = devices.len(), "this node is drained");
    let mut ticks = interval(SPREAD / PARTS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for part in devices.chunks(devices.len().div_ceil(PARTS as usize).max(1)) {
        ticks.tick().await;
        part.iter().for_each(|device| node.hub.disconnect(device, GoodbyeReason::ShuttingDown));
    }
    // Those who connected while the list was made.
    node.hub.disconnect_all(GoodbyeReason::ShuttingDown);
}

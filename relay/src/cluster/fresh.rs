//! Logins see what was durable before them, at whichever node. A device that comes from a node that was ahead would else be
//! shown the past, and take it for a relay that has lost something (rule `GAP-4`); one that has just registered elsewhere
//! would not be known.

use super::node::Node;
use super::part::Part;
use super::{status, watching};
use crate::log::Then;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A node that does not get there in this time is behind, or does not hear NATS; the client tries another one.
const PATIENCE: Duration = Duration::from_secs(3);

/// Calls everybody back once this node has applied what was in all logs when they came. One question to NATS serves all that
/// wait.
pub(super) async fn catch_up(node: Arc<Node>, parts: Vec<Arc<Part>>, mut waiting: mpsc::UnboundedReceiver<Then>) {
    while let Some(first) = waiting.recv().await {
        let mut all = vec![first];
        while let Ok(more) = waiting.try_recv() {
            all.push(more);
        }
        let current = timeout(PATIENCE, reach(&node, &parts)).await.unwrap_or(false);
        all.into_iter().for_each(|then| then(current));
    }
}

/// First something is written, which takes a majority of the NATS servers: a server that has just been parted from the others
/// goes on to say for some seconds where the logs ended then. It takes longer than this until the others accept anything.
async fn reach(node: &Node, parts: &[Arc<Part>]) -> bool {
    if !status::tell(node, watching::applied(parts)).await {
        return false;
    }
    join_all(parts.iter().map(|part| reach_end(part))).await.into_iter().all(|there| there)
}

async fn reach_end(part: &Part) -> bool {
    let Ok((_, last)) = part.log.bounds().await else { return false };
    let mut reached = part.reached.clone();
    reached.wait_for(|reached| reached.position >= last).await.is_ok()
}

//! Commands of this node on their way to the node that appends, and those of others on their way in.

use super::log::Node;
use crate::log::backlog::Next;
use crate::log::{answer_all, busy};
use crate::mailbox::Wakes;
use aside_protocol::request::Answer;
use aside_relay_core::Command;
use aside_relay_core::record::{Entry, Submission};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, sleep_until};

/// Commands of this node that may be on their way.
const MOST_PENDING: usize = 8_192;
/// Bytes of bodies, and commands, of one message to the node that appends.
const MESSAGE: (usize, usize) = (256 << 10, 2_000);
/// How long a command may be on its way.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is not applied after so long is sent again: a message between nodes may be lost.
const SLOW: Duration = Duration::from_secs(2);

/// Sends what is submitted here to whoever appends; to another one all that is not applied yet goes again.
pub(super) async fn forward(node: Arc<Node>) {
    let mut reached = node.reached.clone();
    let mut owner: Option<(String, u64)> = None;
    let mut checked = Instant::now();
    loop {
        let now_owner = reached.borrow_and_update().owner.clone();
        let slow = checked.elapsed() > SLOW && node.pending().is_slow(Instant::now() + PATIENCE - SLOW);
        if now_owner != owner || slow {
            (owner, checked) = (now_owner, Instant::now());
            let again = node.pending().again();
            send(&node, owner.as_ref(), again).await;
        }
        let wake = match owner.is_some() && node.pending().len() < MOST_PENDING {
            true => match take(&node) {
                Taken::Entries(entries) => {
                    send(&node, owner.as_ref(), entries).await;
                    continue;
                }
                Taken::Until(at) => at,
            },
            false => Instant::now() + Duration::from_millis(50),
        };
        tokio::select! {
            () = node.submitted.notified() => {}
            _ = reached.changed() => {}
            () = sleep_until(wake.into()) => {}
        }
    }
}

/// What the backlog gave.
enum Taken {
    Entries(Vec<Entry>),
    /// Nothing before then, unless something comes.
    Until(Instant),
}

fn take(node: &Node) -> Taken {
    let now = Instant::now();
    let batch = match node.backlog().next(now) {
        Next::Batch(batch) => batch,
        Next::At(at) => return Taken::Until(at),
        Next::Nothing | Next::Stopped => return Taken::Until(now + SLOW),
    };
    let mut pending = node.pending();
    let acks = batch.acks.into_iter().map(|(device, pos)| (Command::Ack { device, pos }, Vec::new()));
    let commands = batch.commands.into_iter().map(|waiting| (waiting.command, waiting.replies));
    let entries = acks.chain(commands).map(|(command, replies)| pending.add(command, replies, now + PATIENCE));
    Taken::Entries(entries.collect())
}

/// Hands entries to the task here that appends, or to another node's.
async fn send(node: &Node, owner: Option<&(String, u64)>, entries: Vec<Entry>) {
    let Some((owner, reign)) = owner.filter(|_| !entries.is_empty()) else { return };
    for entries in parts(entries) {
        let part = Submission { reign: *reign, known: 0, entries };
        if *owner == node.name {
            // It ends with the node.
            let _ = node.appending.send(part).await;
            continue;
        }
        let sent = match part.encode() {
            Ok(bytes) => node.nats.submit(owner, bytes.into()).await.map_err(|why| why.to_string()),
            Err(why) => Err(why.to_string()),
        };
        if let Err(why) = sent {
            tracing::debug!(%why, "commands could not be sent; they are sent again");
        }
    }
}

/// In messages of a bounded size, in the same order.
fn parts(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut parts: Vec<Vec<Entry>> = vec![Vec::new()];
    let mut bytes = 0;
    for entry in entries {
        let weight = entry.command.weight();
        let full = parts.last().is_some_and(|part| part.len() >= MESSAGE.1) || bytes > 0 && bytes + weight > MESSAGE.0;
        if full {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += weight;
        parts.last_mut().into_iter().for_each(|part| part.push(entry.clone()));
    }
    parts
}

/// Takes what other nodes send to this one. What comes while it does not append is dropped there.
pub(super) async fn collect(node: Arc<Node>) {
    loop {
        match node.nats.submitted(&node.name).await {
            Ok(mut messages) => {
                while let Some(message) = messages.next().await {
                    match Submission::decode(&message.payload) {
                        // A full queue drops them: they are sent again.
                        Ok(part) => drop(node.appending.try_send(part)),
                        Err(why) => tracing::warn!(%why, "commands of another node cannot be read"),
                    }
                }
            }
            Err(why) => tracing::debug!(%why, "commands of other nodes cannot be heard"),
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Answers what was on its way for too long with `answer`, and what could not even be sent as one that is busy.
pub(super) fn give_up(node: &Node, answer: &Answer) {
    let now = Instant::now();
    let (late, overdue) = (node.pending().late(now), node.backlog().overdue(now));
    let mut wakes = Wakes::default();
    answer_all(late.into_iter(), answer, &mut wakes);
    answer_all(overdue.into_iter().flat_map(|waiting| waiting.replies), &busy(), &mut wakes);
}

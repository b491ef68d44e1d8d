//! Commands of this node on their way to the node that appends to their partition, and those of others on their way in.

use super::part::Part;
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
pub(super) async fn forward(part: Arc<Part>) {
    let mut reached = part.reached.clone();
    let mut owner: Option<(String, u64)> = None;
    let mut checked = Instant::now();
    loop {
        let now_owner = reached.borrow_and_update().owner.clone();
        let slow = checked.elapsed() > SLOW && part.pending().is_slow(Instant::now() + PATIENCE - SLOW);
        if now_owner != owner || slow {
            (owner, checked) = (now_owner, Instant::now());
            let again = part.pending().again();
            send(&part, owner.as_ref(), again).await;
        }
        let wake = match owner.is_some() && part.pending().len() < MOST_PENDING {
            true => match take(&part) {
                Taken::Entries(entries) => {
                    send(&part, owner.as_ref(), entries).await;
                    continue;
                }
                Taken::Until(at) => at,
            },
            false => Instant::now() + Duration::from_millis(50),
        };
        tokio::select! {
            () = part.submitted.notified() => {}
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

fn take(part: &Part) -> Taken {
    let now = Instant::now();
    let batch = match part.backlog().next(now) {
        Next::Batch(batch) => batch,
        Next::At(at) => return Taken::Until(at),
        Next::Nothing | Next::Stopped => return Taken::Until(now + SLOW),
    };
    let mut pending = part.pending();
    let acks = batch.acks.into_iter().map(|(device, pos)| (Command::Ack { device, pos }, Vec::new()));
    let commands = batch.commands.into_iter().map(|waiting| (waiting.command, waiting.replies));
    let entries = acks.chain(commands).map(|(command, replies)| pending.add(command, replies, now + PATIENCE));
    Taken::Entries(entries.collect())
}

/// Hands entries to the task here that appends, or to another node's.
async fn send(part: &Part, owner: Option<&(String, u64)>, entries: Vec<Entry>) {
    let Some((owner, reign)) = owner.filter(|_| !entries.is_empty()) else { return };
    for entries in parts(entries) {
        let some = Submission { reign: *reign, known: part.known(), entries };
        if *owner == part.node.name {
            // It ends with the node.
            let _ = part.appending.send(some).await;
            continue;
        }
        let sent = match some.encode() {
            Ok(bytes) => part.log.submit(owner, bytes.into()).await.map_err(|why| why.to_string()),
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
pub(super) async fn collect(part: Arc<Part>) {
    loop {
        match part.log.submitted(&part.node.name).await {
            Ok(mut messages) => {
                while let Some(message) = messages.next().await {
                    match Submission::decode(&message.payload) {
                        // A full queue drops them: they are sent again.
                        Ok(some) => drop(part.appending.try_send(some)),
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
pub(super) fn give_up(part: &Part, answer: &Answer) {
    let now = Instant::now();
    let (late, overdue) = (part.pending().late(now), part.backlog().overdue(now));
    let mut wakes = Wakes::default();
    answer_all(late.into_iter(), answer, &mut wakes);
    answer_all(overdue.into_iter().flat_map(|waiting| waiting.replies), &busy(), &mut wakes);
}

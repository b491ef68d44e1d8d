//! Which nodes there are, as they say of themselves in NATS, so that clients can be told (rule `NOD-1`).

use super::node::Node;
use super::part::Part;
use crate::nodes::{Member, Nodes};
use aside_protocol::PartitionId;
use async_nats::jetstream::kv::{Entry, Operation};
use futures_util::StreamExt;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long a node that is silent is told all the same. One that restarts is back before, and clients go on to the next
/// address by themselves; what changes is told to everybody.
const LINGER: Duration = Duration::from_secs(60);
/// Without a word for so long, not even this node's own, the watch is begun anew.
const DEAF: Duration = Duration::from_secs(5);
/// Pause before that.
const AGAIN: Duration = Duration::from_millis(500);

/// What clients need of what a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Said {
    #[serde(default)]
    addresses: Vec<String>,
    /// It is being drained: nobody is to come to it.
    #[serde(default)]
    draining: bool,
    /// It hears NATS, can store, and is not far behind.
    #[serde(default)]
    serving: bool,
    /// How far it has applied each partition.
    #[serde(default)]
    applied: Vec<u64>,
}

/// Who said what last, and when.
#[derive(Debug, Default)]
struct Heard(BTreeMap<String, (Said, Instant)>);

impl Heard {
    fn hear(&mut self, node: &str, said: Said, now: Instant) {
        self.0.insert(node.to_owned(), (said, now));
    }

    /// All but those that others have outlasted for long. While nobody is heard nobody is forgotten: then it is NATS that
    /// is silent.
    fn nodes(&mut self) -> Nodes {
        if let Some(newest) = self.0.values().map(|(_, at)| *at).max() {
            self.0.retain(|_, (_, at)| newest.duration_since(*at) <= LINGER);
        }
        let member = |(name, (said, _)): (&String, &(Said, Instant))| Member {
            name: name.clone(),
            addresses: said.addresses.clone(),
            leaving: said.draining,
        };
        Nodes::new(self.0.iter().map(member).collect())
    }
}

/// Follows what nodes say, for ever.
pub(super) async fn know(node: Arc<Node>) {
    let mut heard = Heard::default();
    loop {
        if let Ok(mut said) = node.nats.said().await {
            while let Ok(Some(Ok(entry))) = timeout(DEAF, said.next()).await {
                take(&node, &mut heard, &entry);
            }
        }
        sleep(AGAIN).await;
    }
}

fn take(node: &Node, heard: &mut Heard, entry: &Entry) {
    let name = entry.key.strip_prefix(super::status::NODE);
    let (Some(name), Operation::Put) = (name, &entry.operation) else { return };
    let Ok(said) = serde_json::from_slice::<Said>(&entry.value) else { return };
    node.places().hear(name, said.serving && !said.draining, &said.applied, Instant::now());
    heard.hear(name, said, Instant::now());
    let nodes = heard.nodes();
    node.nodes.send_if_modified(|known| {
        let changed = **known != nodes;
        if changed {
            tracing::info!("clients are told of {} nodes", nodes.len());
            *known = Arc::new(nodes);
        }
        changed
    });
}

/// Follows whose the leases are, for ever: who is to have one that is given away takes it at once.
pub(super) async fn know_leases(node: Arc<Node>, parts: Vec<Arc<Part>>) {
    loop {
        if let Ok(mut said) = node.nats.leased().await {
            while let Some(Ok(entry)) = said.next().await {
                let number: Option<usize> =
                    entry.key.strip_prefix(super::lease::OWNER).and_then(|number| number.parse().ok());
                let taken = entry.operation == Operation::Put && entry.value != node.name.as_bytes();
                if let Some(part) = number.and_then(|number| parts.get(number)).filter(|_| !taken) {
                    part.vacated.notify_one();
                }
            }
        }
        sleep(AGAIN).await;
    }
}

/// Follows what the host says of where partitions are to be, for ever.
pub(super) async fn know_places(node: Arc<Node>) {
    loop {
        if let Ok(mut said) = node.nats.placed().await {
            while let Some(Ok(entry)) = said.next().await {
                let number = entry.key.strip_prefix(super::status::PLACE).and_then(|number| number.parse().ok());
                let Some(number) = number else { continue };
                let named =
                    (entry.operation == Operation::Put).then(|| String::from_utf8_lossy(&entry.value).into_owned());
                node.places().name(PartitionId(number), named);
            }
        }
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aside_protocol::AccountId;

    fn said(address: &str, draining: bool) -> Said {
        Said { addresses: vec![address.to_owned()], draining, serving: true, applied: vec![7] }
    }

    fn told(heard: &mut Heard) -> Vec<String> {
        let mut all = heard.nodes().for_account(&AccountId([1; 32]));
        all.sort();
        all
    }

    #[test]
    fn who_is_silent_while_others_are_heard_is_forgotten_after_a_while() {
        let (mut heard, start) = (Heard::default(), Instant::now());
        heard.hear("a", said("a:1", false), start);
        heard.hear("b", said("b:1", false), start + LINGER);
        assert_eq!(told(&mut heard), ["a:1", "b:1"]);
        heard.hear("b", said("b:1", false), start + LINGER + Duration::from_millis(1));
        assert_eq!(told(&mut heard), ["b:1"]);
        heard.hear("a", said("a:2", false), start + LINGER * 9);
        assert_eq!(told(&mut heard), ["a:2"], "it is back, and the other one has gone");
    }

    #[test]
    fn a_node_that_is_drained_is_not_told() {
        let (mut heard, now) = (Heard::default(), Instant::now());
        heard.hear("a", said("a:1", false), now);
        heard.hear("b", said("b:1", true), now);
        assert_eq!(told(&mut heard), ["a:1"]);
    }

    #[test]
    fn a_status_without_the_flag_and_with_more_than_is_known_is_read() {
        let text = br#"{"node":"a","applied":[7],"connected":0,"serving":true,"addresses":["a:1"],"later":true}"#;
        assert_eq!(serde_json::from_slice::<Said>(text).ok(), Some(said("a:1", false)));
    }
}

//! Which node is to append to which partition. Pure: who is there, and the time, come from outside.
//!
//! Partitions are spread by rendezvous hashing, as accounts are (`nodes.rs`): when a node comes or goes only those move that
//! are its own. A host may say otherwise for single ones.

use aside_protocol::{Hash, PartitionId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A node that was silent for so long appends nothing: its leases have ended.
const SILENT: Duration = Duration::from_secs(3);
/// A node gets no partition of one that lives before it was there for so long.
const SETTLED: Duration = Duration::from_secs(5);

/// What is known of a node.
#[derive(Debug, Clone)]
struct Seen {
    since: Instant,
    last: Instant,
    /// It serves, and is not about to go.
    able: bool,
    /// How far it has applied each partition.
    applied: Vec<u64>,
}

impl Seen {
    fn lives(&self, now: Instant) -> bool {
        now.duration_since(self.last) <= SILENT
    }
}

/// Who is there, and what the host said.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    seen: BTreeMap<String, Seen>,
    /// Of partitions, the node that the host has named.
    named: BTreeMap<u16, String>,
}

impl Places {
    /// A node has said something; whether it can take something over.
    pub(super) fn hear(&mut self, node: &str, able: bool, applied: &[u64], now: Instant) {
        let before = self.seen.get(node).filter(|seen| seen.lives(now) && seen.able);
        let since = before.map_or(now, |seen| seen.since);
        self.seen.insert(node.to_owned(), Seen { since, last: now, able, applied: applied.to_vec() });
    }

    /// The host names the node of a partition, or no longer does.
    pub(super) fn name(&mut self, partition: PartitionId, node: Option<String>) {
        match node {
            Some(node) => self.named.insert(partition.0, node),
            None => self.named.remove(&partition.0),
        };
    }

    /// The node that is to append to a partition; none if nobody is heard.
    pub(super) fn of(&self, partition: PartitionId, now: Instant) -> Option<&str> {
        self.choose(partition, |_, seen| seen.lives(now))
    }

    /// The node that is to append to a partition when this one no longer does.
    pub(super) fn heir(&self, partition: PartitionId, own: &str, now: Instant) -> Option<&str> {
        self.choose(partition, |name, seen| name != own && seen.lives(now))
    }

    /// The node to which whoever appends to a partition, up to a position, is to hand it over: one that has been there for a
    /// while and is not behind. None if that is `own`.
    pub(super) fn better(&self, partition: PartitionId, own: &str, position: u64, now: Instant) -> Option<&str> {
        let best = self.of(partition, now).filter(|best| *best != own)?;
        let seen = self.seen.get(best).filter(|seen| now.duration_since(seen.since) >= SETTLED)?;
        let applied = seen.applied.get(usize::from(partition.0)).copied().unwrap_or(0);
        (position.saturating_sub(applied) < super::watching::BEHIND).then_some(best)
    }

    fn choose(&self, partition: PartitionId, may: impl Fn(&str, &Seen) -> bool) -> Option<&str> {
        let there = self.seen.iter().filter(|(name, seen)| may(name, seen) && seen.able);
        let there: BTreeSet<&str> = there.map(|(name, _)| name.as_str()).collect();
        let named = self.named.get(&partition.0).and_then(|node| there.get(node.as_str()).copied());
        named.or_else(|| there.into_iter().max_by_key(|node| weight(partition, node)))
    }
}

fn weight(partition: PartitionId, node: &str) -> Hash {
    Hash::labelled("aside/1 place", &[&partition.0.to_be_bytes(), node.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: u16 = 64;

    fn heard(nodes: &[&str], at: Instant) -> Places {
        let mut places = Places::default();
        nodes.iter().for_each(|node| places.hear(node, true, &[], at));
        places
    }

    fn all(places: &Places, now: Instant) -> Vec<String> {
        (0..COUNT).filter_map(|partition| places.of(PartitionId(partition), now).map(str::to_owned)).collect()
    }

    #[test]
    fn partitions_are_spread_and_only_those_of_a_node_that_goes_move() {
        let now = Instant::now();
        let three = all(&heard(&["a", "b", "c"], now), now);
        let share = |node: &str| three.iter().filter(|place| *place == node).count();
        assert!(["a", "b", "c"].into_iter().all(|node| (10..=35).contains(&share(node))), "{three:?}");
        let two = all(&heard(&["a", "b"], now), now);
        assert!(three.iter().zip(&two).all(|(before, after)| before == "c" || before == after));
    }

    #[test]
    fn who_is_silent_or_cannot_has_none() {
        let start = Instant::now();
        let mut places = heard(&["a", "b"], start);
        let later = start + SILENT + Duration::from_millis(1);
        places.hear("b", true, &[], later);
        assert!(all(&places, later).iter().all(|node| node == "b"));
        places.hear("b", false, &[], later);
        assert!(all(&places, later).is_empty());
    }

    #[test]
    fn a_host_names_the_node_while_that_is_there() {
        let start = Instant::now();
        let (mut places, partition) = (heard(&["a", "b"], start), PartitionId(3));
        for node in ["a", "b"] {
            places.name(partition, Some(node.to_owned()));
            assert_eq!(places.of(partition, start), Some(node));
        }
        assert_eq!(places.heir(partition, "b", start), Some("a"), "it goes");
        let later = start + SILENT * 2;
        places.hear("a", true, &[], later);
        assert_eq!(places.of(partition, later), Some("a"));
        assert_eq!(places.heir(partition, "a", later), None);
        places.name(partition, None);
        assert_eq!(all(&places, later).len(), usize::from(COUNT));
    }

    #[test]
    fn it_is_handed_over_to_who_has_been_there_for_a_while_and_is_not_behind() {
        let (start, partition) = (Instant::now(), PartitionId(0));
        let mut places = heard(&["a"], start);
        places.name(partition, Some("b".to_owned()));
        let hear = |places: &mut Places, seconds: u64, applied: u64| {
            let now = start + Duration::from_secs(seconds);
            places.hear("a", true, &[100_000], now);
            places.hear("b", true, &[applied], now);
            places.better(partition, "a", 100_000, now).map(str::to_owned)
        };
        assert_eq!(hear(&mut places, 1, 100_000), None, "it has just come");
        assert_eq!(hear(&mut places, 3, 100_000), None);
        assert_eq!(hear(&mut places, 5, 100_000), None);
        assert_eq!(hear(&mut places, 6, 5), None, "it is far behind");
        assert_eq!(hear(&mut places, 7, 100_000).as_deref(), Some("b"));
        let now = start + Duration::from_secs(7);
        assert_eq!(places.better(partition, "b", 100_000, now), None);
    }
}

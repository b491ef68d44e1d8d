//! Where the relay's nodes are, and the order in which a device is told so (rule `NOD-1`). Pure: who is there comes from
//! outside.
//!
//! Accounts are spread by rendezvous hashing: each pair of account and node has a weight, and the heaviest node is the
//! account's home. When a node goes, only the accounts that had it for a home get another one.

use aside_protocol::limits::MAX_OFFERS;
use aside_protocol::{AccountId, Hash};
use std::collections::{HashMap, HashSet};

/// A node, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// `host:port`, best first. It may name those of other nodes behind its own.
    pub addresses: Vec<String>,
    /// It is about to stop.
    pub leaving: bool,
}

/// What devices are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nodes(Vec<Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    name: String,
    addresses: Vec<String>,
}

impl Nodes {
    /// Those that stay, with the addresses that are theirs. If all of them leave, they are told all the same: where they
    /// were is where they may be again.
    pub fn new(mut members: Vec<Member>) -> Self {
        members.sort_by(|one, other| one.name.cmp(&other.name));
        let first = first_named(&members);
        let own = |member: &Member| {
            let named = member.addresses.iter().enumerate();
            named
                .filter(|(place, address)| first.get(address.as_str()) == Some(place))
                .map(|(_, it)| it.clone())
                .collect()
        };
        let all_leave = members.iter().all(|member| member.leaving);
        let staying = members.iter().filter(|member| all_leave || !member.leaving);
        let nodes = staying.map(|member| Node { name: member.name.clone(), addresses: own(member) });
        Self(nodes.filter(|node| !node.addresses.is_empty()).collect())
    }

    /// A relay that is its only node.
    pub fn alone(addresses: &[String]) -> Self {
        Self::new(vec![Member { name: String::new(), addresses: addresses.to_vec(), leaving: false }])
    }

    /// Whether a node is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|node| node.name == name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the devices of an account are told.
    pub fn for_account(&self, account: &AccountId) -> Vec<String> {
        let mut nodes: Vec<(Hash, &Node)> = self.0.iter().map(|node| (weight(account, &node.name), node)).collect();
        nodes.sort_by(|(one, _), (other, _)| other.cmp(one));
        let nodes: Vec<&Node> = nodes.into_iter().map(|(_, node)| node).collect();
        in_turn(Vec::new(), &nodes)
    }

    /// These addresses first, then those of all nodes.
    pub fn behind(&self, own: &[String]) -> Vec<String> {
        in_turn(own.to_vec(), &self.0.iter().collect::<Vec<_>>())
    }
}

/// At which place each address is named first. It belongs to whoever names it there, perhaps to several: a node that also
/// names the others does so behind its own.
fn first_named(members: &[Member]) -> HashMap<&str, usize> {
    let mut first = HashMap::new();
    for member in members {
        for (place, address) in member.addresses.iter().enumerate() {
            let named = first.entry(address.as_str()).or_insert(place);
            *named = place.min(*named);
        }
    }
    first
}

/// The first address of each node, then the second of each, and so on: another address of a node that is gone helps less
/// than another node.
fn in_turn(mut all: Vec<String>, nodes: &[&Node]) -> Vec<String> {
    let mut known: HashSet<String> = all.iter().cloned().collect();
    let most = nodes.iter().map(|node| node.addresses.len()).max().unwrap_or(0);
    for place in 0..most {
        let next = nodes.iter().filter_map(|node| node.addresses.get(place));
        all.extend(next.filter(|address| known.insert((*address).clone())).cloned());
    }
    all.truncate(MAX_OFFERS);
    all
}

fn weight(account: &AccountId, node: &str) -> Hash {
    Hash::labelled("aside/1 home", &[&account.0, node.as_bytes()])
}

#[cfg(test)]
mod tests;

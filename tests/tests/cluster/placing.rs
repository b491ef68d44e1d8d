//! Where things are in a cluster, worked out from outside: which node is to append to a partition, and which partition a
//! chat is in.

use aside_protocol::{AccountId, ChatId, Hash};
use aside_relay_core::Layout;
use aside_tests::cluster::NODES;
use aside_tests::{Client, Cluster};
use serde_json::Value;
use std::collections::BTreeMap;

/// The nodes that are to append to so many partitions, by number, while these are there.
pub fn chosen(partitions: u16, there: &[usize]) -> Vec<usize> {
    let weight = |partition: u16, node: usize| {
        Hash::labelled("aside/1 place", &[&partition.to_be_bytes(), format!("node-{node}").as_bytes()])
    };
    let of = |partition| there.iter().copied().max_by_key(|&node| weight(partition, node)).unwrap();
    (0..partitions).map(of).collect()
}

/// All nodes.
pub fn all() -> Vec<usize> {
    (0..NODES).collect()
}

/// All nodes but one.
pub fn without(node: usize) -> Vec<usize> {
    (0..NODES).filter(|&other| other != node).collect()
}

/// People with whom somebody has a chat in each of so many partitions, one each. `register` makes the next one.
pub fn one_each(partitions: u16, with: &Client, mut register: impl FnMut(usize) -> Client) -> Vec<Client> {
    let mut people: BTreeMap<u16, Client> = BTreeMap::new();
    for number in 0.. {
        if people.len() == usize::from(partitions) {
            break;
        }
        let person = register(number);
        // Of several in one partition the last one stays.
        people.insert(between(partitions, with, &person), person);
    }
    people.into_values().collect()
}

/// Who somebody is.
pub fn account(client: &Client) -> AccountId {
    AccountId::from_hex(client.whoami().ok().one()["account"].as_str().unwrap()).unwrap()
}

/// The partition of the chat of two, of so many.
pub fn between(partitions: u16, one: &Client, other: &Client) -> u16 {
    of_chat(partitions, &ChatId::direct(&account(one), &account(other)))
}

/// The partition of a chat, of so many.
pub fn of_chat(partitions: u16, chat: &ChatId) -> u16 {
    Layout::new(partitions).unwrap().of_chat(chat).0
}

/// What `status --json` says of a partition; null while it cannot be had.
pub fn partition(cluster: &Cluster, number: u16) -> Value {
    cluster.status().map(|status| status["partitions"][usize::from(number)].clone()).unwrap_or_default()
}

//! A relay alone, with chats and with messages that wait, becomes several partitions, and nobody notices.

use super::common::*;
use super::placing::*;
use aside_tests::cluster::{NODES, PARTITIONS};
use aside_tests::{Client, Cluster, Relay, RelayOptions, wait_for};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const GROUP: &str = "#trio";

/// Alice, people with whom she has a chat in each partition, and the group of her and the first two.
fn well_known(relay: &Relay) -> (Client, Vec<Client>) {
    let invite = relay.invite(1_000);
    let alice = Client::registered("alice", &invite);
    let people = one_each(PARTITIONS, &alice, |number| Client::registered(&format!("person{number}"), &invite));
    let [one, other, ..] = &people[..] else { panic!("fewer than two partitions") };
    alice.run(&["group", "create", "trio", one.name(), other.name(), "--timeout", "60s"]).ok();
    (alice, people)
}

/// Chats that alice has: with whom she shares each, and what she and they call it.
fn chats(people: &[Client]) -> Vec<(&Client, String, String)> {
    let direct = people.iter().map(|other| (other, other.name().to_owned(), "alice".to_owned()));
    direct.chain(people[..2].iter().map(|other| (other, GROUP.to_owned(), GROUP.to_owned()))).collect()
}

/// Every second one writes to alice, and so has had all that she has written.
fn writers(people: &[Client]) -> impl Iterator<Item = &Client> {
    people.iter().step_by(2)
}

/// Alice says a line in each chat.
fn says(alice: &Client, people: &[Client], line: usize) {
    let names = people.iter().map(Client::name).chain([GROUP]);
    names.for_each(|name| drop(alice.send(name, &format!("line {line}"), &["--timeout", "60s"]).ok()));
}

/// A history without what receipts change in it, which may come later.
fn told(client: &Client, chat: &str) -> Vec<Value> {
    let mut history = client.whole_history(chat);
    history.iter_mut().filter_map(Value::as_object_mut).for_each(|entry| drop(entry.remove("status")));
    history
}

/// What stands of each chat in these databases: its incarnation and its last commit.
fn standing(databases: &[impl AsRef<Path>]) -> BTreeMap<Vec<u8>, (u64, u64)> {
    let mut all = BTreeMap::new();
    for database in databases {
        let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut chats = db.prepare("SELECT chat, incarnation, base FROM chats").unwrap();
        let rows = chats.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
        for (chat, stands) in rows.map(Result::unwrap) {
            assert!(all.insert(chat, stands).is_none(), "a chat is in two partitions");
        }
    }
    all
}

#[test]
fn a_relay_alone_becomes_several_partitions_and_nobody_notices() {
    let mut relay = Relay::start(RelayOptions::default());
    let (mut alice, people) = well_known(&relay);
    says(&alice, &people, 0);
    for (other, _, theirs) in chats(&people) {
        has_all(other, &theirs, 1);
    }
    // These wait for people who have acknowledged what was before.
    (1..3).for_each(|line| says(&alice, &people, line));
    writers(&people).for_each(|other| drop(other.send("alice", "hello alice", &["--timeout", "60s"]).ok()));
    let read = |people: &[Client]| -> Vec<Vec<Value>> {
        chats(people).iter().map(|(other, _, theirs)| told(other, theirs)).collect()
    };
    let (before, hers) = (read(&people), chats(&people).iter().map(|chat| told(&alice, &chat.1)).collect::<Vec<_>>());
    alice.set_env("ASIDE_LOG", "info");
    // She is there while it happens.
    let mut follow = alice.follow();
    let greeted = |count: usize| {
        let texts: Vec<_> = follow.json().into_iter().filter(|entry| entry["text"] == "hello alice").collect();
        texts.len() == count
    };
    let writers = writers(&people).count();
    wait_for("alice to be there", SOON, || greeted(writers));
    relay.stop();
    let mut cluster = Cluster::with_nats();
    cluster.set_port(0, relay.address().port());
    for file in ["identity.key", "relay.db"] {
        std::fs::copy(relay.data().join(file), cluster.data(0).join(file)).unwrap();
    }
    let stood = standing(&[relay.data().join("relay.db")]);
    assert_eq!(stood.len(), people.len() + 1);
    cluster.import().ok();
    cluster.share_identity();
    (0..NODES).for_each(|node| cluster.start_node(node));

    let mut waits = 0;
    for ((other, _, theirs), before) in chats(&people).iter().zip(&before) {
        has_all(other, theirs, 3);
        let after = told(other, theirs);
        let (had, waited) = after.split_at(before.len());
        assert_eq!(had, before, "what {} had is another", other.name());
        assert!(waited.iter().all(|entry| entry["text"].as_str().is_some_and(|text| text.starts_with("line "))));
        waits += waited.len();
    }
    assert!(waits >= 2 * (people.len() / 2), "nothing waited");
    let databases = cluster.databases(0);
    assert!(databases.iter().all(|database| !standing(&[database]).is_empty()), "a partition has no chat");
    assert_eq!(standing(&databases), stood, "a chat was set up again");
    people.iter().for_each(|other| drop(other.send("alice", "still here", &["--timeout", "60s"]).ok()));
    let lines = || follow.json().iter().filter(|entry| entry["text"] == "still here").count();
    wait_for("alice to hear them", SOON, || lines() == people.len());
    assert!(greeted(writers), "doubled: {:#?}", follow.json());
    follow.terminate(SOON);
    let log = follow.log();
    let harmless = |line: &str| line.contains("could not connect") || line.contains("nothing sent by QUIC is answered");
    assert!(log.lines().all(harmless), "more than a connection that was made again:\n{log}");
    assert!(log.contains("could not connect"), "she was not there:\n{log}");
    for ((_, ours, _), before) in chats(&people).iter().zip(&hers) {
        let after = told(&alice, ours);
        assert_eq!(after[..before.len()], before[..], "what alice had of {ours} is another");
        assert!(after.iter().all(|entry| entry["type"] != "gap"), "{after:#?}");
    }
    says(&alice, &people, 3);
    for (other, _, theirs) in chats(&people) {
        has_all(other, &theirs, 4);
    }
    cluster.agree(NODES);
}

//! Who is known to the directory is known to the chats of every partition: people who have just registered, devices that
//! are added, devices that are removed.

use super::common::*;
use super::placing::*;
use aside_tests::cluster::{NODES, PARTITIONS};
use aside_tests::{Client, Cluster, wait_for};
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;

/// The node that appends to the directory, and another one that appends to a partition of chats.
fn owners(cluster: &Cluster) -> (usize, usize) {
    let wanted = chosen(PARTITIONS, &all());
    wait_for("the partitions to be where they belong", SOON, || cluster.owners().is_some_and(|now| now == wanted));
    let other = wanted.iter().copied().find(|&node| node != wanted[0]);
    (wanted[0], other.expect("one node appends to everything, so the test would tell nothing"))
}

/// Sends a first message, which must go at once.
#[track_caller]
fn greets(from: &Client, to: &Client) {
    let sent = from.send(to.name(), &format!("hello from {}", from.name()), &["--timeout", "60s"]).ok();
    assert_eq!((sent.one()["status"].as_str(), sent.stderr.as_str()), (Some("sent"), ""), "{sent:?}");
}

/// Somebody registers; those who were there before and the newcomer write to each other at once.
fn joins(people: &mut Vec<Client>, invite: &str) {
    let newcomer = Client::registered(&format!("person{}", people.len()), invite);
    for (number, other) in people.iter().enumerate() {
        match number % 2 {
            0 => greets(&newcomer, other),
            _ => greets(other, &newcomer),
        }
    }
    people.push(newcomer);
}

#[test]
fn who_registers_at_one_node_is_at_once_known_to_chats_of_every_partition() {
    let mut cluster = Cluster::start();
    let (directory, other) = owners(&cluster);
    let mut people = Vec::new();
    for number in 0..NODES {
        joins(&mut people, &cluster.new_invite(number % NODES));
    }
    for killed in [directory, other] {
        // Made before: nobody takes new ones for a moment.
        let invites: Vec<String> = without(killed).iter().map(|&node| cluster.new_invite(node)).collect();
        cluster.kill_node(killed);
        invites.iter().for_each(|invite| joins(&mut people, invite));
        cluster.start_node(killed);
        owners(&cluster);
    }
    let mut places = BTreeSet::new();
    for (number, one) in people.iter().enumerate() {
        let others: Vec<&Client> = people.iter().filter(|other| other.name() != one.name()).collect();
        places.extend(others.iter().map(|other| between(PARTITIONS, one, other)));
        let greeting = |&(at, other): &(usize, &Client)| {
            // Of two the one who came later greets if the other's number is even.
            let (early, late) = (number.min(at), number.max(at));
            let greets = if early % 2 == 0 { late } else { early };
            (greets == at).then(|| format!("hello from {}", other.name()))
        };
        let wanted: BTreeSet<String> =
            people.iter().enumerate().filter(|(at, _)| *at != number).filter_map(|one| greeting(&one)).collect();
        wait_for("all greetings", SOON, || {
            one.recv(&["--timeout", "1s"]);
            others.iter().flat_map(|other| received(one, other.name())).collect::<BTreeSet<_>>() == wanted
        });
    }
    assert!(places.len() >= usize::from(PARTITIONS) - 1, "the chats are in few partitions: {places:?}");
    cluster.agree(NODES);
}

/// What somebody else has written in the chat with this one.
fn received(client: &Client, with: &str) -> Vec<String> {
    let theirs = client.whole_history(with).into_iter().filter(|entry| entry["own"] == false);
    theirs.filter_map(|entry| entry["text"].as_str().map(str::to_owned)).collect()
}

/// Somebody, and people at different nodes who have written to each other, one in each partition.
fn well_known(cluster: &Cluster) -> (Client, Vec<Client>) {
    let alice = Client::registered("alice", &cluster.new_invite(0));
    let at = |number: usize| cluster.new_invite(number % NODES);
    let people = one_each(PARTITIONS, &alice, |number| Client::registered(&format!("person{number}"), &at(number)));
    people.iter().for_each(|other| greets(other, &alice));
    wait_for("alice to have heard all", SOON, || {
        alice.recv(&["--timeout", "1s"]);
        people.iter().all(|other| !received(&alice, other.name()).is_empty())
    });
    (alice, people)
}

/// Another machine, let into the account of `host`.
fn linked(host: &Client) -> Client {
    let mut adding = host.spawn(&["device", "add", "--yes", "--json"]);
    let offered: serde_json::Value = serde_json::from_str(&adding.wait_lines(1, SOON).remove(0)).unwrap();
    let device = Client::new(host.name());
    device.run_with(&["device", "link", "--machine", "laptop"], offered["code"].as_str().unwrap().as_bytes()).ok();
    assert_eq!(adding.wait(SOON), Some(0), "{}", adding.log());
    let said = adding.json();
    assert!(said.iter().any(|line| line["type"] == "device_in_chats" && line["chats_lacking"] == 0), "{said:#?}");
    device
}

/// Whether a partition knows a device as one of an account's, to how many chats it is routed there, and how much waits for it.
fn at(database: &std::path::Path, device: &[u8]) -> (Option<bool>, u64, u64) {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count = |sql: &str| db.query_row(sql, [device], |row| row.get::<_, u64>(0)).unwrap();
    let known = db.query_row("SELECT revoked = 0 FROM devices WHERE device = ?", [device], |row| row.get(0)).ok();
    let of = "JOIN devices d ON d.id = x.device WHERE d.device = ?";
    let routed = count(&format!("SELECT count(*) FROM intervals x {of} AND x.stop IS NULL"));
    (known, routed, count(&format!("SELECT count(*) FROM addressees x {of}")))
}

#[test]
fn a_device_that_is_added_or_removed_at_one_node_is_so_in_chats_of_every_partition() {
    let cluster = Cluster::start();
    let (alice, people) = well_known(&cluster);
    let laptop = linked(&alice);
    let id = laptop.whoami().ok().one()["device"].as_str().unwrap().replace('-', "");
    let id = HEXLOWER.decode(id.as_bytes()).unwrap();
    let everywhere = |what: &str, wanted: &dyn Fn((Option<bool>, u64, u64)) -> bool| {
        let databases: Vec<_> = (0..NODES).flat_map(|node| cluster.databases(node)).collect();
        wait_for(what, SOON, || databases.iter().all(|database| wanted(at(database, &id))));
    };
    everywhere("the laptop in chats everywhere", &|(known, routed, _)| known == Some(true) && routed > 0);
    let say = |text: &str| {
        people
            .iter()
            .for_each(|other| assert!(other.send("alice", text, &["--timeout", "60s"]).ok().stderr.is_empty()));
    };
    let has = |client: &Client, text: &str| {
        wait_for("everybody's line", SOON, || {
            client.recv(&["--timeout", "1s"]);
            people.iter().all(|other| received(client, other.name()).iter().any(|line| line == text))
        });
    };
    say("for both");
    has(&alice, "for both");
    has(&laptop, "for both");
    people.iter().for_each(|other| drop(laptop.send(other.name(), "from the laptop", &["--timeout", "60s"]).ok()));
    let mut follow = laptop.follow();
    wait_for("the laptop to be connected", SOON, || (0..NODES).map(|node| connected(&cluster, node)).sum::<u64>() == 1);
    alice.run(&["device", "revoke", &HEXLOWER.encode(&id[..4])]).ok();
    assert_eq!(follow.wait(SOON), Some(3), "{}", follow.log());
    say("for one");
    has(&alice, "for one");
    everywhere("the laptop in no chat", &|found| found == (Some(false), 0, 0));
    assert!(!follow.lines().iter().any(|line| line.contains("for one")), "{:?}", follow.lines());
    laptop.recv(&["--timeout", "2s"]).expect_code(3);
    for other in &people {
        assert!(!received(&laptop, other.name()).contains(&"for one".to_owned()));
        wait_for("the laptop's line", SOON, || {
            other.recv(&["--timeout", "1s"]);
            received(other, "alice").contains(&"from the laptop".to_owned())
        });
    }
    cluster.agree(NODES);
}

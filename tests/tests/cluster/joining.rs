//! Who may be a node: the same identity, the same beginning; a relay alone becomes the first of several.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::process::run;
use aside_tests::{Client, Cluster, Relay, RelayOptions, binaries, wait_for};
use std::process::Command;
use std::time::Duration;

const START: Duration = Duration::from_secs(60);

#[test]
fn a_node_with_another_identity_is_told_what_to_do() {
    let cluster = Cluster::with_nats();
    let missing = run(&mut cluster.node_command(1), b"", START).expect_code(1);
    assert!(missing.stderr.contains("aside-relay cluster init"), "{}", missing.stderr);
    cluster.init().ok();
    let other = run(&mut cluster.node_command(1), b"", START).expect_code(1);
    assert!(other.stderr.contains("identity.key"), "{}", other.stderr);
    let again = cluster.init().expect_code(1);
    assert!(again.stderr.contains("already"), "{}", again.stderr);
}

#[test]
fn a_nodes_folder_is_nothing_for_a_relay_alone() {
    let mut cluster = Cluster::start();
    cluster.stop_node(0);
    let data = cluster.data(0);
    for arguments in [vec!["serve", "--listen", "127.0.0.1:0"], vec!["invite"]] {
        let mut command = Command::new(binaries::aside_relay());
        let alone = run(command.args(&arguments).arg("--data").arg(&data), b"", START).expect_code(1);
        assert!(alone.stderr.contains("a node of a cluster"), "{}", alone.stderr);
    }
    cluster.start_node(0);
    cluster.agree(NODES);
}

#[test]
fn who_was_away_for_too_long_or_is_new_begins_with_the_snapshot() {
    let mut cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    cluster.stop_node(2);
    for number in 0..5 {
        alice.send("bob", &format!("line {number}"), &["--timeout", "60s"]).ok();
    }
    // What a node that runs has not applied would stay.
    wait_for("node 2 to be forgotten", SOON, || {
        cluster.status().is_some_and(|status| status["nodes"].as_array().is_some_and(|nodes| nodes.len() == NODES - 1))
    });
    let cut = cluster.tool(&["snapshot", "--json"]).ok().one()["positions"].clone();
    let status = cluster.status().unwrap();
    for (partition, cut) in status["partitions"].as_array().unwrap().iter().zip(cut.as_array().unwrap()) {
        assert_eq!(partition["first"].as_u64(), cut.as_u64().map(|cut| cut + 1));
        let snapshot = &partition["snapshot"];
        assert!(snapshot["bytes"].as_u64() > Some(0) && snapshot["taken"].is_u64(), "{status}");
    }
    alice.send("bob", "line 5", &["--timeout", "60s"]).ok();
    cluster.start_node(2);
    cluster.stop_node(1);
    cluster.wipe_database(1);
    cluster.start_node(1);
    has_all(&bob, "alice", 6);
    cluster.agree(NODES);
}

#[test]
fn a_cluster_whose_nats_servers_have_lost_all_is_made_anew_of_a_node() {
    let mut cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    alice.send("bob", "line 0", &["--timeout", "60s"]).ok();
    bob.recv(&["--limit", "1", "--follow", "--timeout", "60s"]).ok();
    (0..NODES).for_each(|node| cluster.stop_node(node));
    (0..NODES).for_each(|server| cluster.kill_nats(server));
    (0..NODES).for_each(|server| cluster.wipe_nats(server));
    (0..NODES).for_each(|server| cluster.start_nats(server));
    cluster.wait_for_nats();
    cluster.import().ok();
    let earlier = run(&mut cluster.node_command(1), b"", START).expect_code(1);
    assert!(earlier.stderr.contains("remove relay*.db"), "{}", earlier.stderr);
    cluster.start_node(0);
    for node in 1..NODES {
        cluster.wipe_database(node);
        cluster.start_node(node);
    }
    // The chat is founded again, which takes both.
    let mut follower = bob.follow();
    for line in 1..4 {
        alice.send("bob", &format!("line {line}"), &["--wait", "delivered", "--timeout", "60s"]).ok();
    }
    assert_eq!(follower.terminate(SOON), Some(0), "{}", follower.log());
    has_all(&bob, "alice", 4);
    cluster.agree(NODES);
}

#[test]
fn without_nats_a_node_says_so() {
    let mut cluster = Cluster::with_nats();
    (0..NODES).for_each(|server| cluster.kill_nats(server));
    let alone = run(&mut cluster.node_command(0), b"", START).expect_code(3);
    assert!(alone.stderr.contains("no NATS server"), "{}", alone.stderr);
}

#[test]
fn a_relay_alone_becomes_a_cluster_and_nobody_loses_anything() {
    let mut relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let bob = Client::registered("bob", relay.first_invite());
    alice.send("bob", "line 0", &["--timeout", "60s"]).ok();
    bob.recv(&["--limit", "1", "--follow", "--timeout", "60s"]).ok();
    relay.stop();
    let mut cluster = Cluster::with_nats();
    // A copy that is older than what the cluster will begin with.
    std::fs::copy(relay.data().join("relay.db"), cluster.data(1).join("relay.db")).unwrap();
    relay.restart();
    alice.send("bob", "line 1", &["--timeout", "60s"]).ok();
    relay.stop();
    cluster.set_port(0, relay.address().port());
    let nothing = cluster.import().expect_code(1);
    assert!(nothing.stderr.contains("holds no relay's data"), "{}", nothing.stderr);
    for file in ["identity.key", "relay.db"] {
        std::fs::copy(relay.data().join(file), cluster.data(0).join(file)).unwrap();
    }
    let held = cluster.init().expect_code(1);
    assert!(held.stderr.contains("aside-relay cluster import"), "{}", held.stderr);
    cluster.import().ok();
    let (alone, data) = (&mut Command::new(binaries::aside_relay()), cluster.data(0));
    let alone = run(alone.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data), b"", START).expect_code(1);
    assert!(alone.stderr.contains("became a cluster"), "{}", alone.stderr);
    cluster.share_identity();
    let wrong = run(&mut cluster.node_command(1), b"", START).expect_code(1);
    assert!(wrong.stderr.contains("that of a relay alone, and not this cluster's"), "{}", wrong.stderr);
    std::fs::remove_file(cluster.data(1).join("relay.db")).unwrap();
    (0..NODES).for_each(|node| cluster.start_node(node));
    alice.send("bob", "line 2", &["--timeout", "60s"]).ok();
    has_all(&bob, "alice", 3);
    cluster.agree(NODES);
}

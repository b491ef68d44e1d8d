//! Nodes and NATS servers die and come back: nothing is lost, doubled or out of order.

use super::common::*;
use aside_tests::Cluster;
use aside_tests::cluster::NODES;

#[test]
fn the_node_that_appends_is_killed_and_another_one_goes_on() {
    let mut cluster = Cluster::start();
    let owner = cluster.owner();
    // Neither of them is connected to the one that dies.
    let (alice, bob) = two(&cluster, (owner + 1) % NODES, (owner + 2) % NODES);
    let mut talk = stream(&alice, "bob");
    say(&mut talk, 0..20);
    cluster.kill_node(owner);
    say(&mut talk, 20..60);
    talk.hush();
    has_all(&bob, "alice", 60);
    cluster.start_node(owner);
    cluster.agree(NODES);
}

#[test]
fn people_go_on_to_another_node_when_theirs_is_gone() {
    let mut cluster = Cluster::start();
    let owner = cluster.owner();
    let other = (owner + 1) % NODES;
    let (alice, bob) = two(&cluster, other, owner);
    let mut talk = stream(&alice, "bob");
    say(&mut talk, 0..10);
    cluster.kill_node(other);
    say(&mut talk, 10..30);
    talk.hush();
    has_all(&bob, "alice", 30);
    cluster.start_node(other);
    cluster.agree(NODES);
}

#[test]
fn a_node_that_stops_in_order_hands_over_at_once() {
    let mut cluster = Cluster::start();
    let owner = cluster.owner();
    let (alice, bob) = two(&cluster, (owner + 1) % NODES, (owner + 2) % NODES);
    let mut talk = stream(&alice, "bob");
    say(&mut talk, 0..10);
    cluster.stop_node(owner);
    say(&mut talk, 10..20);
    talk.hush();
    has_all(&bob, "alice", 20);
    assert_ne!(cluster.owner(), owner);
    cluster.start_node(owner);
    cluster.agree(NODES);
}

#[test]
fn nats_servers_die_one_at_a_time() {
    let mut cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    let mut talk = stream(&alice, "bob");
    for server in 0..3 {
        say(&mut talk, server * 10..server * 10 + 5);
        cluster.kill_nats(server);
        say(&mut talk, server * 10 + 5..server * 10 + 10);
        has_lines(&bob, server * 10 + 10);
        cluster.start_nats(server);
        aside_tests::wait_for("all NATS servers to have the log", SOON, || {
            cluster.status().is_some_and(|status| status["current"] == 3)
        });
    }
    talk.hush();
    has_all(&bob, "alice", 30);
    cluster.agree(NODES);
}

fn has_lines(client: &aside_tests::Client, count: usize) {
    aside_tests::wait_for("the lines so far", SOON, || {
        client.recv(&["--timeout", "1s", "--follow"]);
        lines(client, "alice").len() >= count
    });
}

#[test]
fn without_a_majority_nothing_is_accepted_and_nothing_is_lost() {
    let mut cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    alice.send("bob", "line 0", &["--timeout", "60s"]).ok();
    cluster.kill_nats(0);
    cluster.kill_nats(1);
    let refused = alice.send("bob", "line 1", &["--timeout", "8s"]);
    assert!(matches!(refused.code, Some(3 | 6)), "{refused:?}");
    cluster.start_nats(0);
    cluster.start_nats(1);
    alice.send("bob", "line 2", &["--timeout", "90s"]).ok();
    has_all(&bob, "alice", 3);
    cluster.agree(NODES);
}

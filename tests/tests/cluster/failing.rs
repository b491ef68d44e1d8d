//! Nodes and NATS servers die and come back: nothing is lost, doubled or out of order.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::{Client, Cluster, wait_for};

/// Alice writes to bob, a node ends while she does, and nothing is lost. Where they are, and which node ends, counts from
/// the one that appends. The one that ended is told.
fn survives(alice: usize, bob: usize, victim: usize, end: fn(&mut Cluster, usize)) -> (Cluster, usize) {
    let mut cluster = Cluster::start();
    let owner = cluster.owner();
    let [alice, bob, victim] = [alice, bob, victim].map(|turn| (owner + turn) % NODES);
    let (alice, bob) = two(&cluster, alice, bob);
    let mut talk = stream(&alice, "bob");
    say(&mut talk, 0..20);
    end(&mut cluster, victim);
    say(&mut talk, 20..60);
    talk.hush();
    has_all(&bob, "alice", 60);
    (cluster, victim)
}

/// It comes back and has what the others have.
fn returns((mut cluster, victim): (Cluster, usize)) {
    cluster.start_node(victim);
    cluster.agree(NODES);
}

#[test]
fn the_node_that_appends_is_killed_and_another_one_goes_on() {
    // Neither of them is connected to the one that dies.
    returns(survives(1, 2, 0, Cluster::kill_node));
}

#[test]
fn people_go_on_to_another_node_when_theirs_is_gone() {
    returns(survives(1, 0, 1, Cluster::kill_node));
}

#[test]
fn a_node_that_stops_in_order_hands_over_at_once() {
    let (cluster, victim) = survives(1, 2, 0, Cluster::stop_node);
    assert_ne!(cluster.owner(), victim);
    returns((cluster, victim));
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
        wait_for("all NATS servers to have the log", SOON, || cluster.is_whole());
    }
    talk.hush();
    has_all(&bob, "alice", 30);
    cluster.agree(NODES);
}

fn has_lines(client: &Client, count: usize) {
    wait_for("the lines so far", SOON, || {
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

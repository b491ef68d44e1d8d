//! Nothing fails: any node serves anybody, and all nodes have the same state.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::{Client, Cluster};
use std::time::{Duration, Instant};

/// The node that appends does something by itself every minute.
const IDLE: Duration = Duration::from_secs(20);

#[test]
fn people_at_different_nodes_talk_and_all_nodes_agree() {
    let cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    let carol = Client::registered("carol", cluster.invite(2));
    let mut talk = stream(&alice, "bob");
    say(&mut talk, 0..50);
    talk.hush();
    has_all(&bob, "alice", 50);
    bob.send("carol", "from bob", &["--timeout", "60s"]).ok();
    carol.recv(&["--limit", "1", "--follow", "--timeout", "60s"]).ok();
    alice.run(&["group", "create", "trio", "bob", "carol"]).ok();
    alice.run(&["send", "#trio", "line 0"]).ok();
    for client in [&bob, &carol] {
        has_all(client, "#trio", 1);
    }
    cluster.agree(NODES);
    let status = cluster.status().unwrap();
    assert_eq!(status["nodes"].as_array().unwrap().len(), NODES);
    for partition in status["partitions"].as_array().unwrap() {
        assert_eq!((partition["replicas"].as_u64(), partition["current"].as_u64()), (Some(3), Some(3)), "{status}");
        assert_eq!(partition["standbys"].as_array().map(Vec::len), Some(NODES - 1), "{status}");
    }
}

#[test]
fn a_node_that_comes_back_while_nobody_says_anything_is_there_at_once() {
    let mut cluster = Cluster::start();
    let node = (cluster.owner() + 1) % NODES;
    for _ in 0..2 {
        // It has everything, so that nothing it reads tells it who appends.
        cluster.agree(NODES);
        cluster.stop_node(node);
        let began = Instant::now();
        // It has made an invite by then, which the node that appends has taken.
        cluster.start_node(node);
        assert!(began.elapsed() < IDLE, "it waited until the node that appends had something to say");
    }
}

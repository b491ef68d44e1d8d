//! Nothing fails: any node serves anybody, and all nodes have the same state.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::{Client, Cluster};

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
    assert_eq!((status["replicas"].as_u64(), status["current"].as_u64()), (Some(3), Some(3)));
}

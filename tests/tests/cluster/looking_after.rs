//! Nodes are emptied, updated one at a time, and given the appending, while people write.

use super::common::*;
use aside_tests::cluster::{NODES, PARTITIONS};
use aside_tests::{Cluster, wait_for, wait_some};

#[test]
fn a_node_that_is_asked_to_appends_from_then_on() {
    let mut cluster = Cluster::start();
    let owner = cluster.owner();
    let (alice, bob) = two(&cluster, (owner + 1) % NODES, (owner + 2) % NODES);
    let mut talk = stream(&alice, "bob");
    for (turn, to) in [(owner + 1) % NODES, (owner + 2) % NODES, owner].into_iter().enumerate() {
        say(&mut talk, turn * 10..turn * 10 + 10);
        cluster.move_all(to);
        assert!(cluster.owners().is_some_and(|owners| owners.iter().all(|&owner| owner == to)));
    }
    talk.hush();
    has_all(&bob, "alice", 30);
    let nobody = cluster.tool(&["move", "0", "node-7"]).expect_code(1);
    assert!(nobody.stderr.contains("there is no node node-7"), "{}", nobody.stderr);
    let nothing = cluster.tool(&["move", &PARTITIONS.to_string(), "node-0"]).expect_code(1);
    assert!(nothing.stderr.contains("there is no partition"), "{}", nothing.stderr);
    cluster.agree(NODES);
    (0..NODES).for_each(|node| cluster.stop_node(node));
    let none = cluster.tool(&["verify"]).expect_code(3);
    assert!(none.stderr.contains("no node appends to partition 0"), "{}", none.stderr);
}

#[test]
fn all_nodes_are_updated_one_at_a_time_while_people_write() {
    let mut cluster = Cluster::start();
    let (alice, bob) = two(&cluster, 0, 1);
    let mut talk = stream(&alice, "bob");
    for node in 0..NODES {
        say(&mut talk, node * 10..node * 10 + 10);
        cluster.tool(&["drain", &format!("node-{node}")]).ok();
        let status = cluster.status().expect("a status");
        let drained = &status["nodes"][node];
        assert!(drained["draining"] == true && drained["connected"] == 0, "{status}");
        let owners = wait_some("others to append", SOON, || cluster.owners());
        assert!(owners.iter().all(|&owner| owner != node), "{owners:?}");
        let refused = cluster.tool(&["move", "0", &format!("node-{node}")]).expect_code(1);
        assert!(refused.stderr.contains("drained"), "{}", refused.stderr);
        cluster.stop_node(node);
        cluster.start_node(node);
        wait_for("the node to be as before", SOON, || {
            cluster.status().is_some_and(|status| status["nodes"][node]["draining"] == false)
        });
    }
    talk.hush();
    has_all(&bob, "alice", 10 * NODES);
    cluster.agree(NODES);
}

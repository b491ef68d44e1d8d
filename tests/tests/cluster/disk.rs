//! The disk of one node is full: it stops serving until there is room, then reads what it has missed.

use super::common::*;
use aside_tests::cluster::NODES;
use aside_tests::{Background, Client, Cluster, wait_for};

/// Files of 256 KiB: enough to start, not for what follows.
const LITTLE: u64 = 512;
/// More texts of 30,000 bytes than fit.
const MANY: usize = 30;

/// A node with a full disk, and bob connected there. Alice has written so many lines.
struct Full {
    cluster: Cluster,
    full: usize,
    alice: Client,
    bob: Client,
    follow: Background,
    said: usize,
}

fn fill() -> Full {
    let mut cluster = Cluster::start();
    let full = (cluster.owner() + 1) % NODES;
    let (alice, bob) = two(&cluster, (full + 1) % NODES, full);
    cluster.stop_node(full);
    cluster.set_file_blocks(full, LITTLE);
    cluster.start_node(full);
    let follow = bob.follow();
    wait_for("bob to be at that node", SOON, || connected(&cluster, full) == 1);
    let mut said = 0;
    while !cluster.log_of(full).contains("nothing can be stored") {
        assert!(said < MANY, "the disk does not fill up");
        alice.send("bob", &format!("line {said}"), &["--timeout", "60s"]).ok();
        alice.send("bob", &"x".repeat(30_000), &["--timeout", "60s"]).ok();
        said += 1;
    }
    Full { cluster, full, alice, bob, follow, said }
}

#[test]
fn a_node_whose_disk_is_full_stops_serving_until_there_is_room() {
    let Full { mut cluster, full, alice, bob, follow, said } = fill();
    says(&cluster, full, "its connections go elsewhere");
    // Bob goes on elsewhere, and alice notices nothing.
    alice.send("bob", &format!("line {said}"), &["--timeout", "60s"]).ok();
    hears(&follow, said + 1);
    wait_for("the node to be empty", SOON, || connected(&cluster, full) == 0);
    cluster.make_room(full);
    wait_for("the node to serve again", SOON, || {
        let log = cluster.log_of(full);
        log.rfind("this node serves") > log.rfind("its connections go elsewhere")
    });
    drop(follow);
    has_all(&bob, "alice", said + 1);
    cluster.agree(NODES);
}

#[test]
fn a_node_whose_disk_is_full_ends_when_it_is_asked_to() {
    let Full { mut cluster, full, alice, bob, follow, said } = fill();
    cluster.stop_node(full);
    cluster.make_room_at_start(full);
    cluster.start_node(full);
    drop(follow);
    has_all(&bob, "alice", said);
    drop(alice);
    cluster.agree(NODES);
}

//! What is uploaded at one node is had from any other, with a folder that they share and without one.

use aside_store::transfers::Direction;
use aside_tests::Cluster;
use aside_tests::files::{Person, completed, content, fetch, of, run, upload};
use std::time::Duration;

#[test]
fn a_file_is_had_from_another_node() {
    goes_from_node_to_node(Cluster::start());
}

#[test]
fn a_file_is_had_from_another_node_through_a_folder_that_they_share() {
    goes_from_node_to_node(Cluster::start_with_shared_folder());
}

/// More than a piece, and not a whole number of them.
fn goes_from_node_to_node(mut cluster: Cluster) {
    run(async move {
        let alice = Person::new(&cluster.new_invite(0), "alice");
        let bob = Person::new(&cluster.new_invite(1), "bob");
        let bytes = content(3_000_000);
        alice.put("file", &bytes);
        let (from, to) = (alice.agent(), bob.agent());
        upload(&from.handle(), of(&bytes), "file").await;
        completed(&from.handle(), of(&bytes), Direction::Up).await;
        cluster.kill_node(0);
        fetch(&to.handle(), of(&bytes)).await;
        completed(&to.handle(), of(&bytes), Direction::Down).await;
        assert!(std::fs::read(bob.blobs().join(of(&bytes).id.to_hex())).unwrap() == bytes);
        from.close(Duration::from_secs(5)).await;
        to.close(Duration::from_secs(5)).await;
        cluster.start_node(0);
    });
}

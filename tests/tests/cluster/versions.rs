//! A record that this version does not know stops every node, with a sentence, rather than parting one from the others.

use super::common::*;
use aside_tests::Cluster;
use aside_tests::cluster::NODES;

/// CBOR: a map with a version, 2.
const NEWER: &[u8] = b"\xa1\x67version\x02";

#[test]
fn a_record_of_a_newer_version_stops_the_nodes() {
    let mut cluster = Cluster::start();
    let (alice, _) = two(&cluster, 0, 1);
    cluster.log_bytes(NEWER);
    for node in 0..NODES {
        let (code, log) = cluster.ends(node);
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("has a record of version 2") && log.contains("update this node"), "{log}");
    }
    alice.send("bob", "to nobody", &["--timeout", "3s"]).expect_code(6);
}

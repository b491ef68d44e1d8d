//! A record that this version does not know stops every node, with a sentence, rather than parting one from the others.

use super::common::*;
use aside_relay_core::record::VERSION;
use aside_tests::Cluster;
use aside_tests::cluster::NODES;

/// The next version, small enough to be one byte of CBOR.
const NEXT: u8 = VERSION as u8 + 1;

/// CBOR: a map with a version.
fn newer() -> Vec<u8> {
    [b"\xa1\x67version".as_slice(), &[NEXT]].concat()
}

#[test]
fn a_record_of_a_newer_version_stops_the_nodes() {
    let mut cluster = Cluster::start();
    let (alice, _) = two(&cluster, 0, 1);
    cluster.log_bytes(&newer());
    for node in 0..NODES {
        let (code, log) = cluster.ends(node);
        assert_eq!(code, Some(1), "{log}");
        let record = format!("has a record of version {NEXT}");
        assert!(log.contains(&record) && log.contains("update this node"), "{log}");
    }
    alice.send("bob", "to nobody", &["--timeout", "3s"]).expect_code(6);
}

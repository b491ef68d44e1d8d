//! Faults of the network and of processes on a message's way: nothing lost, nothing twice, order kept.
//!
//! Every test here ends with [`aside_tests::Relay::finish`], which also replays the relay's command log.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults_delivery {
    mod client_killed;
    mod common;
    mod cuts;
    mod delayed_copies;
    mod evidence;
    mod first_contact;
    mod lost_replies;
    mod offline;
    mod relay_killed;
    mod roaming;
    mod tiny_buffers;
    mod udp;
}

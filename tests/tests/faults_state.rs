//! Faults of state, with real processes: hostile peers, full disks, wrong clocks, older copies, changed keys. Each
//! scenario asserts that nothing is lost, nothing shows twice and order is kept, by what `recv` and `history` print.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults_state {
    mod attacker;
    mod clock;
    mod common;
    mod config;
    mod disk_client;
    mod disk_relay;
    mod keys;
    mod lock;
    mod messages;
    mod poison;
    mod restored_chat;
    mod restored_client;
    mod restored_relay;
    mod secrecy;
}

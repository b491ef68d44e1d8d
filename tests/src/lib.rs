//! Harness for tests that run real relays and real clients, with a network between them that can be broken at will.
//!
//! Nothing here is shipped. It starts processes, opens sockets and reads clocks; it removes what it made, and kills
//! what it started, when dropped. A failed expectation of the harness itself panics, since that fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod binaries;
pub mod client;
pub mod cluster;
mod dice;
pub mod files;
pub mod limited;
pub mod link;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod relay;
pub mod scale;
pub mod search;
pub mod sim;
pub mod terminal;
pub mod udp;
pub mod wait;

pub use client::Client;
pub use cluster::Cluster;
pub use limited::limited;
pub use link::{Link, Road};
pub use process::{Background, Run};
pub use proxy::FaultProxy;
pub use relay::{Relay, RelayOptions};
pub use terminal::{Key, Terminal};
pub use udp::{UdpProxy, Weather};
pub use wait::{wait_for, wait_some};

/// How many rounds a repeated fault should run: `short`, or `long` when `./test --long` asked for it.
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("ASIDE_LONG").is_some() { long } else { short }
}

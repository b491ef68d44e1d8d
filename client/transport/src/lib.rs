//! Frames to sockets: how a client reaches its relay, makes sure it is the right one, and keeps the connection.
//!
//! [`dial`] gives a [`Greeted`] connection, whose relay has proved who it is; logging in or registering turns it into
//! a [`Link`], which carries frames until it ends with one [`LinkEvent::Closed`]. When to dial again, and which address
//! first, is for [`Rounds`] to say.
//! QUIC and WebSocket race; what is known of a network comes from the caller, and what won is told.
//! This crate may touch the network, the monotonic clock and randomness. It knows no store, no engine and no secret:
//! the caller makes the signatures.

// The tests here share a relay with those in `tests/`, which knows this crate by its name.
#[cfg(test)]
extern crate self as aside_transport;

mod backoff;
mod dial;
mod error;
mod greet;
mod https;
mod link;
mod network;
mod quic;
mod race;
mod rounds;
mod socket;
mod stagger;
mod timing;
mod tls;
mod websocket;

pub use backoff::Backoff;
pub use dial::{Choice, Plan, Target, Transport, dial, dial_with};
pub use error::TransportError;
pub use greet::{CAPABILITIES, Greeted, Way};
pub use https::{BlobError, Download, Https, Uploaded};
pub use link::{Link, LinkEvent};
pub use network::{Known, Network};
pub use rounds::Rounds;
pub use timing::Timing;

//! Frames to sockets: how a client reaches its relay, makes sure it is the right one, and keeps the connection.
//!
//! [`dial`] gives a [`Greeted`] connection, whose relay has proved who it is; logging in or registering turns it into
//! a [`Link`], which carries frames until it ends with one [`LinkEvent::Closed`]. When to dial again is [`Backoff`]'s.
//! This crate may touch the network, the monotonic clock and randomness. It knows no store, no engine and no secret:
//! the caller makes the signatures.

mod backoff;
mod dial;
mod error;
mod greet;
mod link;
mod socket;
mod timing;
mod tls;

pub use backoff::Backoff;
pub use dial::{Target, dial, dial_with};
pub use error::TransportError;
pub use greet::{CAPABILITIES, Greeted};
pub use link::{Link, LinkEvent};
pub use timing::Timing;

//! How long the transport waits for what. May touch nothing.

use aside_protocol::limits::{LOGIN_MS, PING_MS, SILENCE_MS};
use std::time::Duration;

/// The transport's patience. [`Timing::default`] is right for everything but tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For the name lookup and for each TCP connection attempt.
    pub connect: Duration,
    /// For TLS, the upgrade and the hello together; and again for the login.
    pub handshake: Duration,
    /// A link that sent or heard nothing for this long pings.
    pub ping: Duration,
    /// A link that heard nothing for this long ends.
    pub silence: Duration,
    /// For closing in order, and for reading what a relay says last after a write failed.
    pub close: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_millis(LOGIN_MS),
            ping: Duration::from_millis(PING_MS),
            silence: Duration::from_millis(SILENCE_MS),
            close: Duration::from_secs(3),
        }
    }
}

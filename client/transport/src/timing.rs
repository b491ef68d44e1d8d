//! How long the transport waits for what. May touch nothing.

use aside_protocol::limits::{LOGIN_MS, PING_MS, SILENCE_MS};
use std::time::Duration;

/// The transport's patience. [`Timing::default`] is right for everything but tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For the name lookup, and for reaching each of its addresses.
    pub connect: Duration,
    /// For TLS, the upgrade and the hello together; and again for the login.
    pub handshake: Duration,
    /// What one transport is ahead of the other (rule `QUI-6`), and one IP address of a host of the next.
    pub head_start: Duration,
    /// How long an address has to itself before the next one is tried too (rule `NOD-3`).
    pub next_address: Duration,
    /// How long QUIC may go on alone once the relay was not reached by WebSocket. It begins then at the latest, so this
    /// is the least it has in all.
    pub quic_alone: Duration,
    /// How often the path of a QUIC connection is looked at (rule `QUI-5`).
    pub look: Duration,
    /// A QUIC path that carried nothing for this long is asked for a sign of life.
    pub keep_alive: Duration,
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
            head_start: Duration::from_millis(250),
            // Longer than a slow path needs, short enough for people who wait because a machine is gone.
            next_address: Duration::from_secs(3),
            // Enough for a first packet that was lost and its repetition after a second, on a slow path too.
            quic_alone: Duration::from_secs(3),
            look: Duration::from_secs(1),
            // Many NATs forget a UDP flow after 30 seconds. It is also how soon a relay's sudden death shows.
            keep_alive: Duration::from_secs(10),
            ping: Duration::from_millis(PING_MS),
            silence: Duration::from_millis(SILENCE_MS),
            close: Duration::from_secs(3),
        }
    }
}

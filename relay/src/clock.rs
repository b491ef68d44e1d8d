//! The only place of the relay that reads clocks.

use aside_protocol::Millis;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Two readings of time: what people call it, and what only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// UTC.
    pub wall: Millis,
    /// Milliseconds since some moment of this process.
    pub steady: u64,
}

/// Reads both clocks; `since` is the process's moment.
pub fn now(since: Instant) -> Now {
    Now { wall: wall(), steady: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

/// UTC milliseconds; 0 for a clock before 1970.
pub fn wall() -> Millis {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

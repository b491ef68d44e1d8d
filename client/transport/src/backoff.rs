//! When to dial again: at once, then after 1, 2, 4 … 60 seconds plus jitter. Pure: the caller brings the randomness.

use std::time::Duration;

/// The first pause that is not zero.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause before jitter: a person waits a minute at most after the relay is back.
const LONGEST: Duration = Duration::from_secs(60);
/// Jitter adds up to half of the pause, so that the clients of a restarted relay do not come back all at once.
const JITTER: f64 = 0.5;

/// Counts failed attempts and says how long to wait before the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Nothing failed yet: the next attempt may be made at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long to wait before the next attempt. `jitter` is uniform in 0..1; values outside are clamped.
    ///
    /// The first answer after [`Backoff::new`] or [`Backoff::reset`] is zero.
    pub fn next(&mut self, jitter: f64) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        let Some(doublings) = failures.checked_sub(1) else {
            return Duration::ZERO;
        };
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST);
        let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
        pause.mul_f64(1.0 + JITTER * jitter)
    }

    /// Starts over. Call it when a link has proved useful (caught up, or carried an answer), not at login:
    /// a relay that ends every fresh login would otherwise be dialled in a tight loop.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests;

//! When to dial again after attempts that failed in a row (rule `NOD-3`). Pure: the caller brings the randomness.

use std::time::Duration;

/// What the first pause is drawn from.
const FIRST: Duration = Duration::from_secs(1);
/// What the longest is drawn from: a person waits a minute at most after the relay is back.
const LONGEST: Duration = Duration::from_secs(60);

/// Counts failed attempts and says how long to wait before the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Nothing failed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long to wait before the next attempt: any time from nothing to 1, 2, 4 … 60 seconds. Those who lost the same
    /// relay at one moment are then spread over all of it, not heaped at its end. `drawn` is uniform in 0..1; values
    /// outside are clamped.
    pub fn next(&mut self, drawn: f64) -> Duration {
        let most = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        most.mul_f64(if drawn.is_finite() { drawn.clamp(0.0, 1.0) } else { 1.0 })
    }

    /// Starts over. Call it when a link has proved useful (caught up, or carried an answer), not at login:
    /// a relay that ends every fresh login would otherwise be dialled in a tight loop.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests;

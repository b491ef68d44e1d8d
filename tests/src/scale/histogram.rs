//! Times and how often each occurred, in steps of a few percent, so that a day fits.

use super::Nanos;

/// Steps for each doubling: neighbouring ones differ by 4.4 %.
const STEPS: f64 = 16.0;
/// Times below this are one step: 10 µs.
const LEAST: f64 = 10_000.0;

/// Counted times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    counts: Vec<f64>,
    total: f64,
    most: Nanos,
}

impl Histogram {
    /// So many took so long.
    pub fn add(&mut self, time: Nanos, times: f64) {
        let step = ((time as f64 / LEAST).max(1.0).log2() * STEPS) as usize;
        if self.counts.len() <= step {
            self.counts.resize(step + 1, 0.0);
        }
        self.counts[step] += times;
        self.total += times;
        self.most = self.most.max(time);
    }

    /// How many in all.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The longest.
    pub fn most(&self) -> Nanos {
        self.most
    }

    /// Within which time this share (0 to 1) was done, rounded up to the step's end; zero if nothing was counted.
    pub fn quantile(&self, share: f64) -> Nanos {
        let mut rest = self.total * share;
        for (step, count) in self.counts.iter().enumerate() {
            rest -= count;
            if rest <= 0.0 && self.total > 0.0 {
                return ((LEAST * ((step + 1) as f64 / STEPS).exp2()) as Nanos).min(self.most);
            }
        }
        self.most
    }
}

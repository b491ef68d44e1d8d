//! Draws from the distributions that traffic and failures have, out of the dice that a seed gives again.

use crate::dice::Dice;

/// Above this mean, Poisson numbers are drawn from the normal distribution that they are close to.
const MANY: f64 = 64.0;

/// One purpose's dice: what another purpose draws changes nothing here.
#[derive(Debug, Clone)]
pub struct Draw(Dice);

impl Draw {
    /// The same for the same seed and purpose.
    pub fn new(seed: u64, purpose: u64) -> Self {
        let mut mixed = Dice::new(seed ^ purpose.wrapping_mul(0xff51_afd7_ed55_8ccd));
        Self(Dice::new(mixed.draw(&(0..u64::MAX))))
    }

    /// Uniform, from 0 to less than 1.
    pub fn share(&mut self) -> f64 {
        const STEPS: u64 = 1 << 53;
        self.0.draw(&(0..STEPS)) as f64 / STEPS as f64
    }

    /// Uniform between two values.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Time until the next event of a memoryless stream.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.share()).ln() * mean
    }

    /// How many events of a memoryless stream fall into a time in which `mean` are expected.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean > MANY {
            let normal = (-2.0 * (1.0 - self.share()).ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
            return (mean + mean.sqrt() * normal).round().max(0.0) as u64;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.share(), 0);
        while product > limit {
            product *= self.share();
            count += 1;
        }
        count
    }
}

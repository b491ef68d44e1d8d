//! Numbers that a seed gives again. Not for secrets.

use std::ops::Range;

/// SplitMix64 (Steele, Lea, Flood 2014): enough to choose where to cut.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number in `range`; its start when it is empty.
    pub(crate) fn draw(&mut self, range: &Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        range.start + mixed.checked_rem(range.end.saturating_sub(range.start)).unwrap_or(0)
    }
}

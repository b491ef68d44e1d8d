//! Texts of plausible lengths, the same on every run.

const WORDS: [&str; 16] = [
    "tomorrow", "the", "train", "to", "Lisbon", "was", "late", "again", "so", "we", "walked", "along", "river", "and",
    "talked", "quietly",
];

/// A text that names its place in order, and then goes on for 3 to 40 words.
pub(crate) fn text(series: &str, number: u64) -> String {
    let mut dice = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ series.len() as u64;
    let mut text = format!("{series} {number}");
    for _ in 0..3 + below(&mut dice, 12) * below(&mut dice, 5) % 38 {
        text.push(' ');
        text.push_str(WORDS[below(&mut dice, 16) as usize % WORDS.len()]);
    }
    text
}

/// SplitMix64 (Steele, Lea, Flood 2014): a number below `n`.
pub(crate) fn below(dice: &mut u64, n: u64) -> u64 {
    *dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *dice;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % n.max(1)
}

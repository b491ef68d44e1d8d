//! Safety numbers: what two people compare to be sure that nobody stands between them (rule `ACC-3`).
//!
//! Each account has 30 digits. `h = SHA-512(label ‖ key)`, then 5,200 times `h = SHA-512(h ‖ key)`, so that finding a
//! key with a number like another's costs 5,200 times as much as it looks; the first 30 bytes of `h` are read as six
//! 40-bit numbers, big-endian, each modulo 100,000. The two halves are put in order of the keys, so that both people
//! see the same number. This follows Signal's numeric fingerprints; 30 digits are about 99 bits.

use aside_protocol::PublicKey;
use sha2::{Digest, Sha512};

const LABEL: &[u8] = b"aside/1 safety number";
const ROUNDS: usize = 5_200;

/// 60 digits in 12 groups of five, separated by spaces; the same from either side.
pub fn safety_number(a: &PublicKey, b: &PublicKey) -> String {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let groups: Vec<String> = [low, high].into_iter().flat_map(half).map(|group| format!("{group:05}")).collect();
    groups.join(" ")
}

fn half(key: &PublicKey) -> [u64; 6] {
    let mut hash = Sha512::new().chain_update(LABEL).chain_update(key.0).finalize();
    for _ in 0..ROUNDS {
        hash = Sha512::new().chain_update(hash).chain_update(key.0).finalize();
    }
    let mut groups = [0; 6];
    for (group, bytes) in groups.iter_mut().zip(hash.chunks_exact(5)) {
        *group = bytes.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte)) % 100_000;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let number = safety_number(&PublicKey([1; 32]), &PublicKey([2; 32]));
        assert_eq!(number, GOLDEN);
    }

    const GOLDEN: &str = "52854 64401 23177 04242 81680 52191 84406 52575 13569 14536 54943 46530";

    #[test]
    fn same_from_either_side_and_sixty_digits() {
        let (a, b, c) = (PublicKey([1; 32]), PublicKey([2; 32]), PublicKey([3; 32]));
        assert_eq!(safety_number(&a, &b), safety_number(&b, &a));
        assert_ne!(safety_number(&a, &b), safety_number(&a, &c));
        let number = safety_number(&a, &b);
        let groups: Vec<&str> = number.split(' ').collect();
        assert!(groups.len() == 12 && groups.iter().all(|g| g.len() == 5), "{number}");
        assert!(number.bytes().all(|b| b == b' ' || b.is_ascii_digit()), "{number}");
    }
}

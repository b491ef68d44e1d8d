//! Sizes as people write them: 500k, 100M, 2G, in powers of 1024.

/// Reads a whole number and a unit; none for bytes.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = || "give a number and k, M or G, for example 500M or 2G".to_owned();
    let (number, unit) = match text.char_indices().next_back().ok_or_else(wrong)? {
        (at, 'k' | 'K') => (&text[..at], 1_u64 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|bytes| *bytes <= 1 << 62).ok_or_else(|| "that is too much".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_with_units_are_read() {
        for (text, bytes) in [("7", 7), ("0", 0), ("500k", 512_000), ("101M", 101 << 20), ("2G", 2 << 30)] {
            assert_eq!(parse(text).unwrap(), bytes);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "G", "-1", "+1k", "1.5G", "1T", "1 G", "99999999999G", "9999999999999999999999", "1é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

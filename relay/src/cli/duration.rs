//! Spans of time as people write them: 30m, 12h, 7d, 2w.

use std::time::Duration;

/// Reads a whole number and a unit.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "give a number and a unit, for example 30m, 12h, 7d or 2w".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let number = &text[..text.len() - unit.len_utf8()];
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(0) | None => Err("the time must be more than nothing and less than forever".to_owned()),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_with_units_are_read() {
        for (text, seconds) in [("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600)] {
            assert_eq!(parse(text).unwrap(), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "7", "d", "0d", "-1d", "+1d", "7 d", "7y", "1.5h", "99999999999999999999w", "9999999999999999w", "7é"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

//! Times for people, in UTC.

use aside_protocol::Millis;

/// A time as `2026-11-22 14:05`, UTC. Days since 1970 to a date: Howard Hinnant, "chrono-compatible date algorithms".
pub(super) fn utc(time: Millis) -> String {
    let minutes = time.0 / 60_000;
    let (days, minute) = (minutes / 1440, minutes % 1440);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_calendar_dates() {
        assert_eq!(utc(Millis(0)), "1970-01-01 00:00");
        assert_eq!(utc(Millis(951_827_696_000)), "2000-02-29 12:34");
        assert_eq!(utc(Millis(1_795_305_600_000)), "2026-11-22 00:00");
    }
}

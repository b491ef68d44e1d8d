//! Times as people write them, where the user is.

use crate::model::rows::{date, timestamp};
use aside_protocol::Millis;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `14:05`.
pub fn clock(time: Millis, zone: &TimeZone) -> String {
    let time = zone.to_datetime(timestamp(time));
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// `14:05` today, `Mon` within a week, `22 Nov` within a year, else `2025`.
pub fn short(time: Millis, now: Millis, zone: &TimeZone) -> String {
    let (day, today) = (date(time, zone), date(now, zone));
    let ago = day.until(today).map_or(i64::MAX, |span| i64::from(span.get_days()));
    match ago {
        ..=0 => clock(time, zone),
        1..=6 => weekday(day)[..3].to_owned(),
        7..=330 => format!("{} {}", day.day(), &month(day)[..3]),
        _ => day.year().to_string(),
    }
}

/// `Sunday, 22 November 2026`.
pub fn day(day: Date) -> String {
    format!("{}, {} {} {}", weekday(day), day.day(), month(day), day.year())
}

fn weekday(day: Date) -> &'static str {
    DAYS[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs()) % 7]
}

fn month(day: Date) -> &'static str {
    MONTHS[usize::from(day.month().unsigned_abs().saturating_sub(1)) % 12]
}

//! The pauses, number by number.

use super::Backoff;
use std::time::Duration;

#[test]
fn pauses_are_drawn_from_ever_longer_times_up_to_a_minute() {
    let mut backoff = Backoff::new();
    let pauses: Vec<u64> = (0..9).map(|_| backoff.next(1.0).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

#[test]
fn all_of_the_time_is_used() {
    let mut backoff = Backoff::new();
    assert_eq!(backoff.next(0.0), Duration::ZERO);
    assert_eq!(backoff.next(0.5), Duration::from_secs(1));
    assert_eq!(backoff.next(0.25), Duration::from_secs(1));
}

#[test]
fn odd_numbers_and_many_failures_do_no_harm() {
    let mut backoff = Backoff::new();
    for drawn in [f64::NAN, f64::INFINITY, -7.0, 9.0].into_iter().cycle().take(200) {
        assert!(backoff.next(drawn) <= Duration::from_secs(60));
    }
    assert_eq!(Backoff::new().next(f64::NAN), Duration::from_secs(1), "a broken source of chance is no tight loop");
}

#[test]
fn reset_starts_over() {
    let mut backoff = Backoff::new();
    for _ in 0..5 {
        backoff.next(0.3);
    }
    backoff.reset();
    assert_eq!(backoff, Backoff::new());
}

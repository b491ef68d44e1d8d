//! The pauses, number by number.

use super::Backoff;
use std::time::Duration;

#[test]
fn first_retry_is_at_once_and_then_pauses_double_up_to_a_minute() {
    let mut backoff = Backoff::new();
    let pauses: Vec<u64> = (0..9).map(|_| backoff.next(0.0).as_secs()).collect();
    assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn jitter_adds_at_most_half() {
    let mut backoff = Backoff::new();
    assert_eq!(backoff.next(1.0), Duration::ZERO);
    assert_eq!(backoff.next(1.0), Duration::from_millis(1500));
    assert_eq!(backoff.next(0.5), Duration::from_millis(2500));
}

#[test]
fn odd_jitter_and_many_failures_do_no_harm() {
    let mut backoff = Backoff::new();
    for jitter in [f64::NAN, f64::INFINITY, -7.0, 9.0].into_iter().cycle().take(200) {
        assert!(backoff.next(jitter) <= Duration::from_secs(90));
    }
}

#[test]
fn reset_starts_over() {
    let mut backoff = Backoff::new();
    for _ in 0..5 {
        backoff.next(0.3);
    }
    backoff.reset();
    assert_eq!(backoff, Backoff::new());
    assert_eq!(backoff.next(0.9), Duration::ZERO);
}

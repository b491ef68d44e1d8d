//! Orders and pauses, case by case.

use super::*;
use aside_protocol::Refusal;
use aside_protocol::frame::{Goodbye, GoodbyeReason};
use aside_protocol::refusal::RetryAfter;

fn texts(addresses: &[&str]) -> Vec<String> {
    addresses.iter().map(|address| (*address).to_owned()).collect()
}

fn goodbye(reason: GoodbyeReason) -> TransportError {
    TransportError::Goodbye(Goodbye { reason, retry_after_ms: 1_000 })
}

fn unreachable() -> TransportError {
    TransportError::Unreachable { address: "a:1".into(), why: "refused".into() }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn what_was_told_comes_first_and_the_invite_is_the_last_resort() {
    let mut rounds = Rounds::new();
    let told = texts(&["c:1", "b:1"]);
    assert_eq!(rounds.addresses(&told, &texts(&["a:1", "b:1"])), ["c:1", "b:1", "a:1"]);
    assert_eq!(rounds.addresses(&[], &texts(&["a:1", "b:1"])), ["a:1", "b:1"]);
}

#[test]
fn a_node_that_stops_comes_last_once_and_another_one_is_tried_soon() {
    let mut rounds = Rounds::new();
    let told = texts(&["a:1", "b:1", "c:1"]);
    assert_eq!(rounds.addresses(&told, &[]), told);
    assert_eq!(rounds.ended(&goodbye(GoodbyeReason::ShuttingDown), Some("a:1"), 0.7), seconds(0.7));
    assert_eq!(rounds.addresses(&told, &[]), ["b:1", "c:1", "a:1"]);
    rounds.reset();
    assert_eq!(rounds.ended(&TransportError::Closed, Some("b:1"), 0.2), seconds(0.2));
    assert_eq!(rounds.addresses(&told, &[]), told, "with the next connection it is at home again");
}

#[test]
fn a_relay_alone_is_given_the_time_it_asks_for() {
    let mut rounds = Rounds::new();
    let only = texts(&["a:1"]);
    rounds.addresses(&only, &only);
    assert_eq!(rounds.ended(&goodbye(GoodbyeReason::ShuttingDown), Some("a:1"), 0.5), seconds(1.5));
    assert_eq!(rounds.addresses(&only, &[]), only);
}

#[test]
fn nodes_that_are_busy_are_not_asked_in_a_tight_loop() {
    let mut rounds = Rounds::new();
    let told = texts(&["a:1", "b:1"]);
    let busy = TransportError::Refused(Refusal::Unavailable(RetryAfter { retry_after_ms: 2_000 }));
    let mut pauses = Vec::new();
    for turn in 0..5 {
        let first = rounds.addresses(&told, &[]).remove(0);
        assert_eq!(first, told[turn % 2], "in turn");
        pauses.push(rounds.ended(&busy, Some(&first), 1.0).as_secs());
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16]);
}

#[test]
fn attempts_that_fail_in_a_row_wait_longer_and_nobody_is_left_alone_for_them() {
    let mut rounds = Rounds::new();
    let told = texts(&["a:1", "b:1"]);
    rounds.addresses(&told, &[]);
    rounds.ended(&goodbye(GoodbyeReason::Full), Some("a:1"), 0.0);
    assert_eq!(rounds.addresses(&told, &[]), ["b:1", "a:1"]);
    assert_eq!(rounds.ended(&unreachable(), None, 1.0), seconds(2.0));
    assert_eq!(rounds.addresses(&told, &[]), told);
    assert_eq!(rounds.ended(&unreachable(), None, 0.5), seconds(2.0));
    assert_eq!(rounds.failed(1.0), seconds(8.0));
    rounds.reset();
    assert_eq!(rounds.ended(&unreachable(), None, 1.0), seconds(1.0));
}

#[test]
fn a_dead_path_is_left_at_once_but_not_again_and_again() {
    let mut rounds = Rounds::new();
    rounds.addresses(&texts(&["a:1"]), &[]);
    assert_eq!(rounds.ended(&TransportError::PathDead, Some("a:1"), 0.9), Duration::ZERO);
    assert_eq!(rounds.ended(&TransportError::PathDead, Some("a:1"), 0.5), seconds(1.0));
}

#[test]
fn those_who_lost_the_same_node_come_back_at_different_moments() {
    let told = texts(&["a:1", "b:1"]);
    let mut pauses: Vec<Duration> = (0..10)
        .map(|number| {
            let mut rounds = Rounds::new();
            rounds.addresses(&told, &[]);
            rounds.ended(&goodbye(GoodbyeReason::ShuttingDown), Some("a:1"), f64::from(number) / 10.0)
        })
        .collect();
    pauses.dedup();
    assert_eq!(pauses.len(), 10);
    assert!(pauses.iter().all(|pause| *pause < seconds(1.0)));
}

//! A thousand simulated worlds (`./test --long`: ten thousand), in parts so that they run beside each other.
//!
//! A failing part names its seed and how to replay it; see CONTRIBUTING.md.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::rounds;
use aside_tests::sim::plan::Plan;
use aside_tests::sim::{EXPECTED, run, run_seeds};

/// In how many parts the seeds are run.
const PARTS: u64 = 4;

fn part(number: u64) {
    let seeds = rounds(1_000, 10_000) as u64 / PARTS;
    let coverage = run_seeds(number * seeds..(number + 1) * seeds).unwrap_or_else(|failure| panic!("{failure}"));
    // Each rare thing is rare, but not so rare that a part of this size never meets it.
    let missed: Vec<_> = EXPECTED.iter().filter(|what| !coverage.0.contains_key(*what)).collect();
    assert!(missed.is_empty(), "the simulation has become shallow: it never met {missed:?}; it met {coverage:?}");
}

#[test]
fn every_promise_holds_in_the_first_part_of_the_seeds() {
    part(0);
}

#[test]
fn every_promise_holds_in_the_second_part_of_the_seeds() {
    part(1);
}

#[test]
fn every_promise_holds_in_the_third_part_of_the_seeds() {
    part(2);
}

#[test]
fn every_promise_holds_in_the_fourth_part_of_the_seeds() {
    part(3);
}

#[test]
fn a_seed_replays_the_same_trace() {
    for seed in [2, 7, 19, 326] {
        let plan = Plan::of(seed);
        let (one, other) = (run(&plan, true), run(&plan, true));
        assert_eq!(one.failure, other.failure);
        let differs = one.trace.iter().zip(&other.trace).find(|(one, other)| one != other);
        assert!(differs.is_none() && one.trace.len() == other.trace.len(), "seed {seed} differs: {differs:?}");
    }
}

//! A thousand simulated worlds (`./test --long`: ten thousand), in parts so that they run beside each other.
//!
//! A failing part names its seed and how to replay it; see CONTRIBUTING.md.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::rounds;
use aside_tests::sim::{EXPECTED, Plan, run, run_group_seeds, run_seeds, run_until_covered};

/// The seeds of one tenth.
fn tenth(number: u64) {
    let seeds = rounds(100, 1_000) as u64;
    if let Err(failure) = run_seeds(number * seeds..(number + 1) * seeds) {
        panic!("{failure}");
    }
}

macro_rules! tenths {
    ($($name:ident $number:literal),*) => {
        /// Every promise holds in each world.
        mod worlds {
            $(#[test]
            fn $name() {
                super::tenth($number);
            })*
        }
    };
}

tenths!(first 0, second 1, third 2, fourth 3, fifth 4, sixth 5, seventh 6, eighth 7, ninth 8, tenth 9);

/// Else the worlds above could become so calm that they prove nothing, and nobody would notice.
#[test]
fn the_seeds_reach_every_rare_thing() {
    let missing = run_until_covered(0..1_000, EXPECTED);
    assert!(missing.is_empty(), "the simulation has become shallow: a thousand seeds never reach {missing:?}");
}

#[test]
fn a_seed_replays_the_same_trace() {
    for seed in [2, 7, 19, 230, 326] {
        let plan = Plan::of(seed);
        let (one, other) = (run(&plan, true), run(&plan, true));
        assert_eq!(one.failure, other.failure);
        let differs = one.trace.iter().zip(&other.trace).find(|(one, other)| one != other);
        assert!(differs.is_none() && one.trace.len() == other.trace.len(), "seed {seed} differs: {differs:?}");
    }
}

/// Worlds around a group whose members change all the time, one account with two devices in every other one.
mod groups {
    /// The seeds of one quarter.
    fn quarter(number: u64) {
        let seeds = super::rounds(40, 400) as u64;
        if let Err(failure) = super::run_group_seeds(number * seeds..(number + 1) * seeds, false) {
            panic!("{failure}");
        }
    }

    /// Worlds in which older copies are put back, or everybody is away for longer than the relay keeps anything.
    #[test]
    fn hard() {
        let seeds = super::rounds(60, 600) as u64;
        if let Err(failure) = super::run_group_seeds(0..seeds, true) {
            panic!("{failure}");
        }
    }

    #[test]
    fn first() {
        quarter(0);
    }

    #[test]
    fn second() {
        quarter(1);
    }

    #[test]
    fn third() {
        quarter(2);
    }

    #[test]
    fn fourth() {
        quarter(3);
    }
}

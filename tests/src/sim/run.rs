//! Running seeds and plans: a broken promise is a panic in the world, and becomes a report here.

use super::plan::Plan;
use super::record::Coverage;
use super::world::World;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// Why it failed, if it did.
    pub failure: Option<String>,
    /// How often rare things happened.
    pub coverage: Coverage,
    /// What happened, if it was to be kept.
    pub trace: Vec<String>,
}

/// Runs a plan to its end, or to the first broken promise.
pub fn run(plan: &Plan, trace: bool) -> Report {
    let mut world = World::new(plan.clone(), trace);
    let failure = catch_unwind(AssertUnwindSafe(|| world.run())).err().map(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        text.unwrap_or("a panic without words").to_owned()
    });
    let World { coverage, trace, .. } = world;
    Report { failure, coverage, trace: trace.into_lines() }
}

/// Runs seeds until everything expected was met; says what was not.
pub fn run_until_covered(seeds: Range<u64>, expected: &[&'static str]) -> Vec<&'static str> {
    let mut missing = expected.to_vec();
    for seed in seeds {
        let report = run(&Plan::of(seed), false);
        missing.retain(|what| !report.coverage.0.contains_key(what));
        if missing.is_empty() {
            break;
        }
    }
    missing
}

/// The same, of worlds around a group; `hard`: with older copies put back and long absences.
///
/// # Errors
/// The seed, what broke, and how to see it.
pub fn run_group_seeds(seeds: Range<u64>, hard: bool) -> Result<(), String> {
    for seed in seeds {
        let plan = if hard { Plan::of_hard_group(seed) } else { Plan::of_group(seed) };
        if let Some(failure) = run(&plan, false).failure {
            let hard = if hard { " --hard" } else { "" };
            let again = format!("cargo run -p aside-tests --bin simulate -- --group{hard} --seed {seed}");
            return Err(format!("group seed {seed} fails: {failure}\nreplay and shrink it with: {again}"));
        }
    }
    Ok(())
}

/// Runs seeds until one fails.
///
/// # Errors
/// The seed, what broke, and how to see it.
pub fn run_seeds(seeds: Range<u64>) -> Result<Coverage, String> {
    let mut coverage = Coverage::default();
    for seed in seeds {
        let report = run(&Plan::of(seed), false);
        coverage.add(&report.coverage);
        if let Some(failure) = report.failure {
            let again = format!("cargo run -p aside-tests --bin simulate -- --seed {seed}");
            return Err(format!("seed {seed} fails: {failure}\nreplay and shrink it with: {again}"));
        }
    }
    Ok(coverage)
}

//! `simulate --seed N`: replays one seed of the simulation with a readable trace; if it fails, makes it short first.
//! `simulate --seeds A..B [--group [--hard]] [--quiet]`: runs many; `--group`: worlds around a group whose members change;
//! `--hard`: with older copies put back and long absences.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::sim::{Coverage, Plan, run, shrink};
use std::process::ExitCode;

const USAGE: &str = "usage: simulate --seed N | --seeds A..B  [--group [--hard]] [--quiet]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quiet = arguments.iter().any(|argument| argument == "--quiet");
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    // Panics are how a world fails; they are reported once, by us.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(seed) = value("--seed").and_then(|seed| seed.parse().ok()) {
        return one(seed, quiet);
    }
    let range = value("--seeds").and_then(|range| {
        let (first, last) = range.split_once("..")?;
        Some(first.parse().ok()?..last.parse().ok()?)
    });
    match range {
        Some(range) => many(range, quiet),
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// A world of chats of two, or around a group.
fn plan(seed: u64) -> Plan {
    let given = |name: &str| std::env::args().any(|argument| argument == name);
    match (given("--group"), given("--hard")) {
        (false, _) => Plan::of(seed),
        (true, false) => Plan::of_group(seed),
        (true, true) => Plan::of_hard_group(seed),
    }
}

fn one(seed: u64, quiet: bool) -> ExitCode {
    let plan = plan(seed);
    let report = run(&plan, true);
    let Some(failure) = report.failure else {
        if !quiet {
            report.trace.iter().for_each(|line| println!("{line}"));
        }
        println!("seed {seed} holds: {} actions, {} events in its trace", plan.actions.len(), report.trace.len());
        return ExitCode::SUCCESS;
    };
    let short = shrink(&plan);
    let again = run(&short, true);
    if !quiet {
        again.trace.iter().for_each(|line| println!("{line}"));
    }
    println!("\nseed {seed} fails: {failure}");
    println!("shrunk from {} actions to {}:", plan.actions.len(), short.actions.len());
    let (people, window, queue) = (short.people, short.window, short.push_queue);
    println!("  {:?}, {people} people, window {window}, push queue {queue}, {:?}", short.flavour, short.delays);
    short.actions.iter().for_each(|planned| println!("  {:>8} ms  {}", planned.at, planned.action));
    println!("it fails so: {}", again.failure.unwrap_or_else(|| "not any more (timing of real threads?)".into()));
    ExitCode::FAILURE
}

fn many(seeds: std::ops::Range<u64>, quiet: bool) -> ExitCode {
    let mut coverage = Coverage::default();
    let (began, count) = (std::time::Instant::now(), seeds.end.saturating_sub(seeds.start));
    for (tried, seed) in seeds.enumerate() {
        let report = run(&plan(seed), false);
        coverage.add(&report.coverage);
        if let Some(failure) = report.failure {
            println!("seed {seed} fails, the {}. tried: {failure}", tried + 1);
            return ExitCode::FAILURE;
        }
    }
    println!("{count} seeds hold ({:.0?})", began.elapsed());
    if !quiet {
        coverage.0.iter().for_each(|(what, count)| println!("{count:>8}  {what}"));
    }
    ExitCode::SUCCESS
}

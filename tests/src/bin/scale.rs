//! `scale`: a day of 10 thousand and of a million devices in fast motion, with failures.
//! `scale --table`: what 10 thousand, a million and 50 million devices need.
//! `scale --devices N [--nodes N] [--cores N] [--seconds N] [--whole] [--next] [--seed N] [--calm]`: one world.
//!
//! It prints what was seen; times are virtual, so it says the same on every machine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::scale::claims::{self, Seen};
use aside_tests::scale::{Row, Spec, Spread, Traffic, plan, rows, run, traffic};
use std::process::ExitCode;
use std::str::FromStr;

const USAGE: &str = "usage: scale [--table | --claims | --devices N [--nodes N] [--cores N]]
             [--seconds N | --whole] [--next] [--moments] [--calm] [--seed N]
  --devices N  connected devices; without it the three sizes of docs/scale.md
  --table      only what so many devices need, as in docs/scale.md
  --claims     how long things take in the busiest minutes, and after failures
  --nodes N    how many nodes, instead of what the plan says
  --cores N    cores of each
  --partitions N  16 if not told
  --seconds N  how long the day takes, 1,440 if not told; --whole: a day's 86,400
  --next       whoever loses his node goes to the next in one list, instead of to any
  --moments    each second
  --calm       without failures
  --seed N     of all chance";

const KNOWN: [&str; 12] = [
    "--partitions",
    "--moments",
    "--table",
    "--claims",
    "--devices",
    "--nodes",
    "--cores",
    "--seconds",
    "--whole",
    "--next",
    "--calm",
    "--seed",
];

fn main() -> ExitCode {
    let wrong = std::env::args().skip(1).find(|given| given.starts_with('-') && !KNOWN.contains(&given.as_str()));
    if wrong.is_some() {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    let traffic = Traffic::default();
    match value::<f64>("--devices") {
        Some(devices) => {
            let machine = if devices > 50_000.0 { plan::LARGE } else { plan::SMALL };
            day(&Row::with(value("--partitions").unwrap_or(plan::PARTITIONS), devices, machine, &traffic));
        }
        None if given("--table") => told_table(&traffic),
        None if given("--claims") => told_claims(&traffic),
        // A cluster of 50 million devices is one of a million.
        None => rows(&traffic).iter().take(2).for_each(day),
    }
    ExitCode::SUCCESS
}

/// What the three sizes need, and how far applying goes.
fn told_table(traffic: &Traffic) {
    plan::table(traffic).iter().for_each(|line| println!("{line}"));
    let following = traffic.following();
    for (partitions, cores) in plan::BOUNDS {
        let most = Row::most_devices(partitions, cores, traffic);
        println!("nodes of {cores} cores could apply the commands of {most:.0} devices; partitions: {partitions}");
    }
    println!(
        "the mean message: {following:.1?}, {:.1} commands, {:.0} bytes",
        following.commands(),
        following.log_bytes()
    );
}

/// What is seen in the busiest minutes of the first two sizes.
fn told_claims(traffic: &Traffic) {
    let [small, large] = [0, 1].map(|size| claims::all(&rows(traffic)[size], value("--seed").unwrap_or(1)));
    let told = |seen: &Seen| seen.value.map_or("never".into(), |value| format!("{value:.1} {}", seen.unit));
    small.iter().zip(&large).for_each(|(one, other)| println!("| {} | {} | {} |", one.what, told(one), told(other)));
}

fn given(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

fn value<T: FromStr>(name: &str) -> Option<T> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1)?.parse().ok()
}

/// A day of one of the row's clusters.
fn day(row: &Row) {
    let (nodes, cores) = (value("--nodes").unwrap_or(row.nodes), value("--cores").unwrap_or(row.cores));
    let seconds = if given("--whole") { traffic::DAY_S } else { value("--seconds").unwrap_or(1_440.0) };
    let mut spec = Spec::day(row.devices / row.clusters as f64, nodes, cores, value("--seed").unwrap_or(1), seconds);
    spec.partitions = row.partitions;
    if given("--next") {
        spec.spread = Spread::Next;
    }
    if given("--calm") {
        spec.faults.clear();
    }
    println!(
        "one of {} clusters: {} devices, {} partitions, {nodes} nodes of {cores} cores, a day in {seconds} s",
        row.clusters, spec.devices, spec.partitions
    );
    let report = run(&spec);
    if given("--moments") {
        report.moments.iter().enumerate().for_each(|(second, moment)| println!("{second:>6} {moment:?}"));
    }
    println!("{report}");
}

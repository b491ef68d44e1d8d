//! The claims of `docs/scale.md` about how long things take, and the worlds in which they are seen to hold.

use super::plan::Row;
use super::report::Report;
use super::spec::{Spec, What};
use super::{Nanos, world};

/// When a failure comes in such a world, and how long it lasts, in seconds.
const FAILS: (f64, f64) = (10.0, 130.0);

/// A failure in the busiest minutes, and what it is called there.
pub const FAILURES: [(&str, What); 5] = [
    ("The owner of partition 0 dies", What::OwnerDies(40.0)),
    ("Another node dies", What::OtherDies(40.0)),
    ("The owner of partition 0 is stopped", What::OwnerStops(20.0)),
    ("NATS has no leader for 4 s", What::NatsLeaderDies(4.0)),
    ("NATS has no leader for 10 s", What::NatsLeaderDies(10.0)),
];

/// One line: what, how much was seen, and in which unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// As the table calls it.
    pub what: String,
    /// How much; none if it did not happen before the end.
    pub value: Option<f64>,
    /// `ms`, `s`, `%` or `cores`.
    pub unit: &'static str,
}

impl Seen {
    fn new(what: impl Into<String>, value: impl Into<Option<f64>>, unit: &'static str) -> Self {
        Self { what: what.into(), value: value.into(), unit }
    }
}

/// The world of one of a row's clusters in the busiest minutes.
pub fn busiest(row: &Row, seed: u64) -> Spec {
    let cluster = Spec::busiest(row.devices / row.clusters as f64, row.nodes, row.cores, seed);
    Spec { partitions: row.partitions, ..cluster }
}

/// What is seen there while nothing fails.
pub fn calm(row: &Row, seed: u64) -> Vec<Seen> {
    let report = world::run(&busiest(row, seed));
    let ms = |time: Nanos| time as f64 / 1e6;
    let Report { accept, deliver, apply, front, append, nats_cores, .. } = &report;
    vec![
        Seen::new("Accepted, 99 of 100", ms(accept.quantile(0.99)), "ms"),
        Seen::new("Delivered, 99 of 100", ms(deliver.quantile(0.99)), "ms"),
        Seen::new("The cores that apply are busy", 100.0 * apply, "%"),
        Seen::new("The busiest node's other threads are busy", 100.0 * front, "%"),
        Seen::new("A record is on its way to each log", 100.0 * append, "%"),
        Seen::new("The three NATS servers use", *nats_cores, "cores"),
    ]
}

/// What is seen when something fails.
pub fn failing(row: &Row, (name, what): (&str, What), seed: u64) -> Vec<Seen> {
    let report = world::run(&Spec { lasts: FAILS.1, ..busiest(row, seed) }.with(FAILS.0, what));
    let recovery = report.recoveries.first();
    vec![
        Seen::new(format!("{name}: writing is as before after"), recovery.and_then(|found| found.writes), "s"),
        Seen::new(format!("{name}: everybody is connected after"), recovery.and_then(|found| found.people), "s"),
    ]
}

/// All of it.
pub fn all(row: &Row, seed: u64) -> Vec<Seen> {
    let failing = FAILURES.into_iter().flat_map(|failure| failing(row, failure, seed));
    calm(row, seed).into_iter().chain(failing).collect()
}

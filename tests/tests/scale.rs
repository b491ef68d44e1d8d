//! What `docs/scale.md` claims: its table is what the planner computes, and simulated worlds of those sizes keep what is
//! said of them, with and without failures. And the simulation itself: it must see what is too much, and agree with
//! theory where there is one and with the measurements that its costs are from.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::rounds;
use aside_tests::scale::claims::{self, FAILURES, Seen};
use aside_tests::scale::draw::Draw;
use aside_tests::scale::histogram::Histogram;
use aside_tests::scale::plan::{self, Row, rows, table};
use aside_tests::scale::station::Station;
use aside_tests::scale::traffic::{DAY_S, Following};
use aside_tests::scale::{Fault, Recovery, SECOND, Spec, Spread, Traffic, What, costs, run};

const PAGE: &str = include_str!("../../docs/scale.md");

/// The cells of the page's table lines that begin with this.
fn cells(first: &str) -> Vec<String> {
    let line = PAGE.lines().find(|line| line.starts_with(&format!("| {first} |")));
    let line = line.unwrap_or_else(|| panic!("docs/scale.md says nothing of {first:?}"));
    line.trim_matches('|').split('|').skip(1).map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn the_table_is_what_the_planner_computes() {
    for line in table(&Traffic::default()) {
        assert!(PAGE.lines().any(|found| found == line), "docs/scale.md has not: {line}");
    }
}

/// What is seen is within what is claimed, and no claim is so wide that it says nothing.
fn check(column: usize, seen: &[Seen]) {
    for Seen { what, value, unit } in seen {
        let claim = cells(what)[column].clone();
        let bound: f64 = claim.trim_end_matches(unit).trim().parse().unwrap_or_else(|_| panic!("{what}: {claim}"));
        let value = value.unwrap_or_else(|| panic!("{what}: not before the end, claimed {claim}"));
        assert!(value <= bound, "{what}: {value:.1} {unit}, claimed {claim}");
        assert!(bound <= 1.6 * value + 2.0, "{what}: {value:.1} {unit} is far below what is claimed, {claim}");
    }
}

/// The first two columns; a cluster of the third is one of the second.
fn row(column: usize) -> Row {
    rows(&Traffic::default())[column]
}

fn calm(column: usize) {
    (1..=rounds(1, 5) as u64).for_each(|seed| check(column, &claims::calm(&row(column), seed)));
}

fn failing(column: usize, number: usize) {
    (1..=rounds(1, 5) as u64).for_each(|seed| check(column, &claims::failing(&row(column), FAILURES[number], seed)));
}

macro_rules! claimed {
    ($size:ident $column:literal: $($name:ident $number:literal),*) => {
        mod $size {
            #[test]
            fn the_busiest_minute() {
                super::calm($column);
            }
            $(#[test]
            fn $name() {
                super::failing($column, $number);
            })*
        }
    };
}

claimed!(ten_thousand 0: owner_dies 0, other_dies 1, owner_stops 2, nats_for_4_seconds 3, nats_for_10_seconds 4);
claimed!(a_million 1: owner_dies 0, other_dies 1, owner_stops 2, nats_for_4_seconds 3, nats_for_10_seconds 4);

#[test]
fn a_cluster_of_fifty_million_is_one_of_a_million() {
    let [_, million, fifty] = rows(&Traffic::default());
    assert_eq!(fifty.clusters, 50);
    assert_eq!(Row { devices: million.devices, clusters: 1, messages: million.messages, ..fifty }, million);
    assert!(million.is_one_cluster() && !fifty.is_one_cluster());
}

/// Two calculations of the same: sums, and what stations were seen to do.
#[test]
fn plan_and_simulation_agree() {
    for row in &rows(&Traffic::default())[..2] {
        let report = run(&claims::busiest(row, 7));
        let close = |what: &str, one: f64, other: f64, by: f64| {
            assert!((one - other).abs() <= by * other, "{what}: simulated {one:.4}, planned {other:.4}");
        };
        close("messages", report.per_second[0], row.messages, 0.1);
        close("commands", report.per_second.iter().sum(), row.commands, 0.1);
        close("other threads", report.front, row.front, 0.2);
        assert!(report.apply <= row.apply && report.apply > 0.5 * row.apply, "{} of {}", report.apply, row.apply);
        assert!(report.records <= row.records && report.nats_cores <= row.nats);
        assert!(report.front_most <= plan::FRONT_MOST && report.apply_most <= plan::APPLY_MOST);
        assert!(!report.is_overloaded(&claims::busiest(row, 7)));
    }
}

/// Devices that need 2.7 nodes with one thread beside the applying one: three do, two do not.
#[test]
fn a_world_with_one_node_too_few_is_seen_to_be_overloaded() {
    let needs = |devices: f64| {
        let row = Row::of(devices, plan::SMALL, &Traffic::default());
        row.front * row.nodes as f64
    };
    let devices = 2.7 / needs(100_000.0) * 100_000.0;
    let overloaded = |nodes| {
        let spec = Spec { lasts: 30.0, ..Spec::busiest(devices, nodes, 2, 3) };
        run(&spec).is_overloaded(&spec)
    };
    assert!(!overloaded(3));
    assert!(overloaded(2));
}

#[test]
fn the_page_says_how_many_devices_could_be_applied() {
    for (partitions, cores) in plan::BOUNDS {
        let most = Row::most_devices(partitions, cores, &Traffic::default());
        let claim = cells(&format!("Devices that nodes of {cores} cores could apply; partitions: {partitions}"));
        let claim: f64 = claim[0].replace(',', "").parse().unwrap();
        assert!((most - claim).abs() < 0.01 * claim, "calculated {most:.0}, claimed {claim}");
    }
}

/// However many nodes there are, each applies everything; with more partitions more of its cores do.
#[test]
fn more_than_one_partition_holds_is_seen_to_be_overloaded_and_four_hold_it() {
    let most = Row::most_devices(1, 16, &Traffic::default());
    let overloaded = |partitions: usize, devices: f64| {
        let spec = Spec { lasts: 30.0, partitions, ..Spec::busiest(devices, 24, 16, 3) };
        run(&spec).is_overloaded(&spec)
    };
    assert!(!overloaded(1, most));
    assert!(overloaded(1, 2.3 * most));
    assert!(!overloaded(4, 2.3 * most));
}

/// With failures of all kinds: whatever was sent is accepted, once, but for what is under way at the end.
#[test]
fn whatever_is_sent_is_accepted_once() {
    let mut spec = Spec { lasts: 200.0, ..Spec::busiest(20_000.0, 3, 2, 11) };
    let failures = FAILURES.iter().enumerate();
    spec.faults = failures.map(|(number, (_, what))| Fault { at: 5.0 + 35.0 * number as f64, what: *what }).collect();
    let report = run(&spec);
    let missing = report.sent - report.accept.total();
    assert!(report.sent > 4_000.0 && report.refused > 0.0, "{report}");
    assert!((0.0..=2.0).contains(&missing), "{missing} of {} messages were not accepted", report.sent);
}

/// As clients are built: all of a dead node's people go to the next one in their list.
#[test]
fn who_goes_to_the_next_node_comes_back_later_than_who_goes_to_any() {
    let back = |spread| {
        let spec = Spec { lasts: 130.0, spread, partitions: 1, ..claims::busiest(&row(1), 1) }
            .with(10.0, What::OtherDies(100.0));
        run(&spec).recoveries[0].people.unwrap_or(f64::MAX)
    };
    assert!(back(Spread::Next) > 2.0 * back(Spread::Even));
}

#[test]
fn the_same_seed_says_the_same() {
    let day = |seed| run(&Spec::day(10_000.0, 3, 2, seed, 240.0));
    assert_eq!(day(1), day(1));
    assert_ne!(day(1), day(2));
}

/// All of a day's hours and failures; with `ASIDE_LONG` every second of it.
#[test]
fn a_day_ends_well() {
    let spec = Spec::day(10_000.0, 3, 2, 5, rounds(720, DAY_S as usize) as f64);
    let report = run(&spec);
    assert!(!report.is_overloaded(&spec), "{report}");
    assert!(report.sent - report.accept.total() <= 5.0, "{report}");
    let expected = spec.devices * spec.traffic.messages_a_second() * spec.lasts;
    assert!((report.sent - expected).abs() < 0.1 * expected, "sent {}, expected {expected:.0}", report.sent);
    for Recovery { what, writes, people } in &report.recoveries {
        let soon = |time: &Option<f64>| time.is_some_and(|time| time <= 20.0);
        assert!(soon(writes) && soon(people), "{what:?}: {writes:?} {people:?}");
    }
}

/// The costs give again what was measured, in the circumstances of the measurement: three nodes, 56.3 messages in a record.
#[test]
fn the_costs_give_the_measured_sums() {
    let us = |cost: f64| cost / 1_000.0;
    let close = |calculated: f64, measured: f64| {
        assert!(
            (calculated - measured).abs() < 0.03 * measured,
            "{calculated:.1} µs calculated, {measured:.1} measured"
        );
    };
    let (nodes, batch) = (3.0, 56.3);
    let applied = costs::APPLY_MESSAGE + costs::APPLY_RECORD / batch;
    let message = nodes * applied + costs::FRONT_MESSAGE + costs::PUSH + costs::APPEND_COMMAND;
    close(us(applied), 18.18);
    close(us(message), 87.97);
    close(us(message + nodes * costs::APPLY_ACK + costs::FRONT_ACK), 99.18);
    close(us(costs::NATS_RECORD / batch + costs::NATS_COMMAND), 42.33);
    close(us(costs::NATS_RECORD / 551.6 + costs::NATS_COMMAND), 10.11);
    close(costs::LOG_MESSAGE_BYTES + costs::LOG_ACK_BYTES, 601.0);
    close(costs::LOG_MESSAGE_BYTES + costs::LOG_RECORD_BYTES, 659.0);
    assert!(us(costs::APPLY_RECORD + costs::APPLY_MESSAGE) < 165.0, "more than a node needs in all");
}

/// Every cost of the page is one of the module.
#[test]
fn the_page_names_the_costs() {
    let us = |cost: f64| format!("{:.1} µs", cost / 1_000.0);
    let told = [
        ("Quiet connection, each second", us(costs::QUIET)),
        ("Ping", us(costs::PING)),
        ("Login", us(costs::LOGIN)),
        ("Message fetched after coming back", us(costs::CATCH_UP)),
        ("Message, at its sender's node", us(costs::FRONT_MESSAGE)),
        ("Acknowledgement, at its device's node", us(costs::FRONT_ACK)),
        ("Push to one connection", us(costs::PUSH)),
        ("Message, applied, at each node", us(costs::APPLY_MESSAGE)),
        ("Acknowledgement, applied, at each node", us(costs::APPLY_ACK)),
        ("Record, applied, at each node", us(costs::APPLY_RECORD)),
        ("Command, appended, at one node", us(costs::APPEND_COMMAND)),
        ("Record, all NATS servers together", us(costs::NATS_RECORD)),
        ("Command, all NATS servers together", us(costs::NATS_COMMAND)),
        ("Record, from append to answer", us(costs::APPEND_TAKES)),
        ("Partition, each second and node, all NATS servers together", us(costs::NATS_LOOK)),
        ("Registered device, in each partition but the directory", format!("{} bytes", costs::LEARNED_BYTES)),
        ("Message in the log", format!("{} bytes", costs::LOG_MESSAGE_BYTES)),
        ("Acknowledgement in the log", format!("{} bytes", costs::LOG_ACK_BYTES)),
        ("Record in the log, beside its commands", format!("{} bytes", costs::LOG_RECORD_BYTES)),
        ("Memory of a connection", format!("{} KiB", costs::CONNECTION_KIB)),
    ];
    for (what, cost) in told {
        assert_eq!(cells(what)[0], cost, "{what}");
    }
}

/// Mean wait before one server with constant work and memoryless arrivals: ρ·S / 2(1 − ρ).
#[test]
fn a_station_agrees_with_theory() {
    let work = 1_000_000;
    for (load, tolerance) in [(0.3, 0.03), (0.6, 0.03), (0.8, 0.06)] {
        let (mut draw, mut station, mut now, mut waited) = (Draw::new(4, 1), Station::new(1), 0.0, 0.0);
        let customers = 300_000;
        for _ in 0..customers {
            now += draw.exponential(work as f64 / load);
            waited += (station.serve(now as u64, work) - work - now as u64) as f64;
        }
        let (mean, theory) = (waited / f64::from(customers), load * work as f64 / (2.0 * (1.0 - load)));
        assert!((mean - theory).abs() < tolerance * theory, "load {load}: waited {mean:.0}, theory {theory:.0}");
        assert!((station.busy() as f64 / now - load).abs() < 0.02 * load);
    }
}

#[test]
fn a_station_with_two_servers_does_two_things_at_a_time() {
    let mut station = Station::new(2);
    assert_eq!([10, 10, 10, 10].map(|work| station.serve(100, work)), [110, 110, 120, 120]);
    station.stop(115);
    assert_eq!((station.busy(), station.serve(115, 10)), (30, 125));
}

#[test]
fn draws_have_the_means_they_should() {
    let mut draw = Draw::new(9, 9);
    for mean in [0.2, 3.0, 40.0, 500.0] {
        let drawn: Vec<f64> = (0..20_000).map(|_| draw.poisson(mean) as f64).collect();
        let seen = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let spread = drawn.iter().map(|value| (value - seen).powi(2)).sum::<f64>() / drawn.len() as f64;
        assert!((seen - mean).abs() < 0.05 * mean && (spread - mean).abs() < 0.08 * mean, "{mean}: {seen}, {spread}");
    }
}

#[test]
fn a_histogram_knows_its_quantiles() {
    let mut times = Histogram::default();
    (1..=1_000).for_each(|ms| times.add(ms * SECOND / 1_000, 1.0));
    let [half, most] = [0.5, 0.99].map(|share| times.quantile(share) as f64 / 1e6);
    assert!((500.0..525.0).contains(&half) && (990.0..1_040.0).contains(&most), "{half} {most}");
    assert_eq!(times.quantile(1.0), times.most());
}

/// Counted by hand from what client and relay do.
#[test]
fn what_follows_from_a_message() {
    // Both look at the chat: the message, one receipt; each acknowledges once.
    let two =
        Following { receipts: 1.0, receipts_at_once: 1.0, acks: 2.0, acks_at_once: 2.0, pushes: 3.0, deliveries: 1.0 };
    assert_eq!(Following::of(2.0, 0.0), two);
    // Read later: another receipt, and it is acknowledged.
    assert_eq!(Following::of(2.0, 1.0), Following { receipts: 2.0, acks: 3.0, pushes: 4.0, ..two });
    // Ten devices: nine readers say that they have it, to nine others each.
    assert_eq!(Following::of(10.0, 0.0).pushes, 9.0 + 1.0 + 81.0);
    // Above 32 devices receipts are kept and not pushed.
    assert_eq!(Following::of(33.0, 0.0).pushes, 33.0);
    let traffic = Traffic::default();
    assert!((traffic.groups.iter().map(|group| group.share).sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn a_day_has_its_mean_and_its_peak() {
    let traffic = Traffic::default();
    let mean = (0..1_440).map(|minute| traffic.curve(f64::from(minute) * 60.0)).sum::<f64>() / 1_440.0;
    assert!((mean - 1.0).abs() < 1e-6);
    assert!((traffic.curve(traffic.busiest()) - traffic.peak).abs() < 1e-9);
}

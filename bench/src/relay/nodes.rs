//! `bench relay --cluster N`: the same through several nodes, and what it costs relays, NATS and the log.

use super::{AT_A_TIME, Args, RelayTalker, acking, couple};
use crate::cluster::{Cluster, Cost};
use crate::error::BenchError;
use crate::figures::{Figures, median};
use crate::fleet::{Fleet, Sample};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::Duration;

/// Processor time of relays and of NATS apart: on one machine they share its cores.
pub async fn through(args: &Args, nodes: usize) -> Result<Figures, BenchError> {
    let cluster = Cluster::start(nodes, args.partitions)?;
    let at = args.at.map_or(nodes, usize::from).min(nodes);
    let couples = stream::iter(0..args.pairs).map(|pair| {
        let (one, other) = (cluster.invite(pair % at), cluster.invite((pair + 1) % at));
        couple((one, other), pair, args.transport)
    });
    let pairs: Vec<[RelayTalker; 2]> = couples.buffered(AT_A_TIME).try_collect().await?;
    let mut fleet = Fleet::new(acking(pairs.into_iter().flatten(), args.ack_each), args.window);
    let mut rounds = Vec::new();
    for _ in 0..args.rounds.max(1) {
        let (sample, before, after) = fleet.run(Duration::from_secs(args.seconds), || cluster.cost()).await?;
        rounds.push((sample, before, after));
    }
    let figures = Figures::default()
        .word("transport", args.transport.word())
        .count("nodes", nodes as u64)
        .count("partitions", u64::from(args.partitions))
        .count("connections", 2 * args.pairs as u64)
        .count("window", args.window);
    Ok(costs(figures, &rounds))
}

/// A run, and what the cluster had cost at its beginning and at its end.
type ClusterRound = (Sample, Cost, Cost);

fn costs(figures: Figures, rounds: &[ClusterRound]) -> Figures {
    let middle = |value: &dyn Fn(&ClusterRound) -> f64| median(rounds.iter().map(value));
    let per_1000 = |sample: &Sample, much: u64| much as f64 * 1000.0 / sample.messages.max(1) as f64;
    let grew = |before: &[u64], after: &[u64]| -> Vec<u64> {
        before.iter().zip(after).map(|(before, after)| after - before).collect()
    };
    let relays = |(sample, before, after): &ClusterRound, pick: fn(Vec<u64>) -> u64| {
        per_1000(sample, pick(grew(&before.relays_ms, &after.relays_ms)))
    };
    let figures = figures
        .number("msgs_per_s", middle(&|(sample, ..)| sample.per_second()), 0)
        .number("deliver_p50_ms", middle(&|(sample, ..)| sample.p50_ms), 2)
        .number("deliver_p99_ms", middle(&|(sample, ..)| sample.p99_ms), 2)
        .number("relays_cpu_ms_per_1000", middle(&|round| relays(round, |all| all.iter().sum())), 2)
        .number(
            "busiest_relay_cpu_ms_per_1000",
            middle(&|round| relays(round, |all| all.into_iter().max().unwrap_or(0))),
            2,
        )
        .number(
            "idlest_relay_cpu_ms_per_1000",
            middle(&|round| relays(round, |all| all.into_iter().min().unwrap_or(0))),
            2,
        )
        .number(
            "nats_cpu_ms_per_1000",
            middle(&|(sample, before, after)| per_1000(sample, grew(&before.nats_ms, &after.nats_ms).iter().sum())),
            2,
        )
        .number(
            "records_per_s",
            middle(&|(sample, before, after)| (after.records - before.records) as f64 / sample.seconds),
            0,
        )
        .number(
            "msgs_per_record",
            middle(&|(sample, before, after)| sample.messages as f64 / (after.records - before.records).max(1) as f64),
            1,
        );
    if !rounds.iter().all(|(_, _, after)| after.whole) {
        return figures;
    }
    let bytes = middle(&|(sample, before, after)| per_1000(sample, after.bytes - before.bytes) / 1000.0);
    figures.number("log_bytes_per_msg", bytes, 0)
}

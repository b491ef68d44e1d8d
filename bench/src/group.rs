//! `bench group`: one writes to a group whose members are all online, with one message outstanding; in turns through the
//! relay and through the bound, which keeps nothing.
//!
//! Bodies are random bytes, since the relay could not read them anyway. What encrypting costs is `bench mls`.

mod crowd;
mod talker;

use crate::bound::BoundTalker;
use crate::cluster::Cluster;
use crate::error::BenchError;
use crate::figures::{Figures, median};
use crate::member::Member;
use crate::person::{Known, group_founding, random};
use crate::processes::{Bound, Relay};
use crate::relay::join;
use crate::wire::Transport;
use aside_protocol::GroupNonce;
use aside_protocol::invite::Invite;
use crowd::{Crowd, Sample, Voice};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::Instant;
use talker::{GroupTalker, Place};

/// Connections set up at a time.
const AT_A_TIME: usize = 32;
/// Messages that each reader says it has read, each one, at the end.
const READ: u64 = 100;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Members of the group, each with one device that is online; one of them writes.
    #[arg(long, default_value_t = 501, value_parser = clap::value_parser!(u64).range(2..=10_000))]
    members: u64,
    /// Messages of a run.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    messages: u64,
    /// Messages before the clock starts.
    #[arg(long, default_value_t = 50)]
    warm: u64,
    /// Runs; figures are the median of all.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Through a cluster of so many nodes and NATS servers, at which the members are in turns; without the bound.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=5))]
    cluster: Option<u8>,
    /// Partitions of the cluster.
    #[arg(long, value_name = "N", requires = "cluster", default_value_t = 16)]
    partitions: u16,
    /// What carries the relay's frames; the bound has WebSockets.
    #[arg(long, value_enum, default_value = "ws")]
    transport: Transport,
}

/// One run: what the clients saw, and what it cost the server.
struct Round {
    sample: Sample,
    cpu_us: f64,
    bytes: f64,
}

pub async fn run(args: Args) -> Result<Figures, BenchError> {
    if let Some(nodes) = args.cluster {
        return through_cluster(&args, usize::from(nodes)).await;
    }
    let relay = Relay::start()?;
    let mut crowd = Crowd::new(talkers(|_| &relay.invite, &args).await?)?;
    let (bound, mut unbound) = bound(&args).await?;
    crowd.say(args.warm).await?;
    unbound.say(args.warm).await?;
    let (mut rounds, mut bounds) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds.max(1) {
        rounds.push(round(&mut crowd, args.messages, || Ok((relay.process.cpu_ms()?, relay.stored_bytes()?))).await?);
        bounds.push(round(&mut unbound, args.messages, || Ok((bound.process.cpu_ms()?, 0))).await?);
    }
    drop((bound, unbound));
    let figures = told(&args, &rounds, &bounds).number("relay_rss_mib", relay.process.rss_kib()? as f64 / 1024.0, 1);
    receipts(figures, &mut crowd, &relay).await
}

/// The same through a cluster: what the clients saw, and what it cost all relays and all NATS servers.
async fn through_cluster(args: &Args, nodes: usize) -> Result<Figures, BenchError> {
    let cluster = Cluster::start(nodes, args.partitions)?;
    let began = Instant::now();
    let mut crowd = Crowd::new(talkers(|number| cluster.invite(number), args).await?)?;
    let joined = began.elapsed();
    crowd.say(args.warm).await?;
    let (mut samples, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds.max(1) {
        let before = cluster.cost()?;
        let sample = crowd.say(args.messages).await?;
        let after = cluster.cost()?;
        let each = |before: &[u64], after: &[u64]| {
            let spent = after.iter().sum::<u64>() - before.iter().sum::<u64>();
            spent as f64 * 1000.0 / sample.deliveries.max(1) as f64
        };
        cpu.push((each(&before.relays_ms, &after.relays_ms), each(&before.nats_ms, &after.nats_ms)));
        samples.push(sample);
    }
    let seen = |value: fn(&Sample) -> f64| median(samples.iter().map(value));
    Ok(Figures::default()
        .word("transport", args.transport.word())
        .count("nodes", nodes as u64)
        .count("partitions", u64::from(args.partitions))
        .count("members", args.members)
        .count("messages", args.messages)
        .number("all_joined_s", joined.as_secs_f64(), 1)
        .number("send_p50_ms", seen(|sample| sample.sent_ms.0), 2)
        .number("send_p99_ms", seen(|sample| sample.sent_ms.1), 2)
        .number("deliveries_per_s", seen(Sample::per_second), 0)
        .number("last_member_p50_ms", seen(|sample| sample.last_ms.0), 2)
        .number("last_member_p99_ms", seen(|sample| sample.last_ms.1), 2)
        .number("relays_cpu_us_per_delivery", median(cpu.iter().map(|(relays, _)| *relays)), 2)
        .number("nats_cpu_us_per_delivery", median(cpu.iter().map(|(_, nats)| *nats)), 2))
}

/// Every reader says after each message that it has read it: far more than the real client, which says so now and then.
async fn receipts(figures: Figures, crowd: &mut Crowd<GroupTalker>, relay: &Relay) -> Result<Figures, BenchError> {
    let before = (relay.process.cpu_ms()?, relay.stored_bytes()?);
    let noted = crowd.say_with_receipts(READ).await?;
    let after = (relay.process.cpu_ms()?, relay.stored_bytes()?);
    let (slots, readers) = crowd.writer().receipts().await?;
    if slots != readers || noted.pushed > 0 {
        let text = format!("{slots} receipts of {readers} readers are stored, and {} were delivered", noted.pushed);
        return Err(BenchError::Misbehaved(text));
    }
    Ok(figures
        .count("receipts_sent", noted.sent)
        .count("receipt_slots", slots)
        .count("receipts_delivered", noted.pushed)
        .count("receipts_stored_bytes", after.1.saturating_sub(before.1))
        .number("relay_cpu_us_per_receipt", (after.0 - before.0) as f64 * 1000.0 / noted.sent.max(1) as f64, 1))
}

async fn round<V: Voice>(
    crowd: &mut Crowd<V>,
    messages: u64,
    look: impl Fn() -> Result<(u64, u64), BenchError>,
) -> Result<Round, BenchError> {
    let before = look()?;
    let sample = crowd.say(messages).await?;
    let after = look()?;
    let cpu_us = (after.0 - before.0) as f64 * 1000.0 / sample.deliveries.max(1) as f64;
    Ok(Round { sample, cpu_us, bytes: after.1.saturating_sub(before.1) as f64 / messages as f64 })
}

fn told(args: &Args, rounds: &[Round], bounds: &[Round]) -> Figures {
    let ours = |value: fn(&Round) -> f64| median(rounds.iter().map(value));
    let bound = |value: fn(&Round) -> f64| median(bounds.iter().map(value));
    // Of neighbouring rounds, so that what else the machine does weighs on both alike.
    let ratio =
        |value: fn(&Round) -> f64| median(rounds.iter().zip(bounds).map(|(ours, bound)| value(ours) / value(bound)));
    Figures::default()
        .word("transport", args.transport.word())
        .count("members", args.members)
        .count("messages", args.messages)
        .number("send_p50_ms", ours(|round| round.sample.sent_ms.0), 2)
        .number("send_p99_ms", ours(|round| round.sample.sent_ms.1), 2)
        .number("deliveries_per_s", ours(|round| round.sample.per_second()), 0)
        .number("last_member_p50_ms", ours(|round| round.sample.last_ms.0), 2)
        .number("last_member_p99_ms", ours(|round| round.sample.last_ms.1), 2)
        .number("stored_bytes_per_message", ours(|round| round.bytes), 0)
        .number("relay_cpu_us_per_delivery", ours(|round| round.cpu_us), 2)
        .word("bound_transport", Transport::Ws.word())
        .number("bound_deliveries_per_s", bound(|round| round.sample.per_second()), 0)
        .number("bound_last_member_p50_ms", bound(|round| round.sample.last_ms.0), 2)
        .number("bound_cpu_us_per_delivery", bound(|round| round.cpu_us), 2)
        .number("deliveries_ratio", ratio(|round| round.sample.per_second()), 3)
        .number("last_member_ratio", ratio(|round| round.sample.last_ms.0), 2)
        .number("cpu_ratio", ratio(|round| round.cpu_us), 2)
}

/// Registered, attached, and in one group; the first one founded it.
async fn talkers<'a>(invite: impl Fn(usize) -> &'a Invite, args: &Args) -> Result<Vec<GroupTalker>, BenchError> {
    let joining = (0..args.members as usize).map(|number| join(invite(number), number, args.transport));
    let mut members: Vec<Member> = stream::iter(joining).buffered(AT_A_TIME).try_collect().await?;
    let known: Vec<Known> = members.iter().map(|member| member.known).collect();
    let found = group_founding(&known, GroupNonce(random()?))?;
    let Some(founder) = members.first_mut() else { return Ok(Vec::new()) };
    let (chat, base) = founder.found_as(found).await?;
    let place = Place { chat, base, writer: founder.known.device };
    for member in &mut members {
        member.attach().await?;
    }
    members.into_iter().map(|member| GroupTalker::new(member, place)).collect()
}

async fn bound(args: &Args) -> Result<(Bound, Crowd<BoundTalker>), BenchError> {
    let bound = Bound::start_for_all()?;
    let joining = (0..args.members).map(|number| BoundTalker::connect(bound.address, number));
    let talkers = stream::iter(joining).buffered(AT_A_TIME).try_collect().await?;
    Ok((bound, Crowd::new(talkers)?))
}

//! `bench relay`: pairs write to each other through a relay; with `--with-bound`, in turns through the bound.
//!
//! Messages alone: its clients acknowledge what they get, as they must, and send no receipts.

mod nodes;

use crate::bound::BoundTalker;
use crate::error::BenchError;
use crate::figures::{Figures, median};
use crate::fleet::{BODY, Fleet, Heard, Sample, Stamp, Talker};
use crate::member::{Member, decode};
use crate::person::{Known, Person, random};
use crate::processes::{Bound, Counters, Relay};
use crate::wire::{Transport, Wire};
use aside_protocol::frame::RelayFrame;
use aside_protocol::invite::Invite;
use aside_protocol::request::{Answer, Request, Send};
use aside_protocol::{Body, ChatId, N, Seq};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::Duration;

/// Connections set up at a time.
const AT_A_TIME: usize = 32;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pairs of connections; both ends of a pair write.
    #[arg(long, default_value_t = 100)]
    pairs: usize,
    /// Messages a connection may have unanswered.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    window: u64,
    /// Length of a run.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Runs; figures are the median of all.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// What carries the frames.
    #[arg(long, value_enum, default_value = "ws")]
    transport: Transport,
    /// Through a cluster of so many nodes and NATS servers; the ends of a pair are at different nodes.
    #[arg(long, value_name = "NODES", value_parser = clap::value_parser!(u8).range(1..=5), conflicts_with = "with_bound")]
    cluster: Option<u8>,
    /// Partitions of the cluster.
    #[arg(long, value_name = "N", requires = "cluster", default_value_t = 16)]
    partitions: u16,
    /// Have connections at so many of the cluster's nodes only: the others do nothing but follow.
    #[arg(long, value_name = "NODES", requires = "cluster", value_parser = clap::value_parser!(u8).range(1..=5))]
    at: Option<u8>,
    /// Acknowledge each message by itself, as devices do whose messages are far apart, instead of half a window at once.
    #[arg(long)]
    ack_each: bool,
    /// Take turns with the bound, and tell the ratios.
    #[arg(long)]
    with_bound: bool,
}

/// One run: what the clients saw, and what it cost the server.
struct Round {
    sample: Sample,
    cpu_ms_per_1000: f64,
    syncs: u64,
}

pub async fn run(args: Args) -> Result<Figures, BenchError> {
    if let Some(nodes) = args.cluster {
        return nodes::through(&args, usize::from(nodes)).await;
    }
    let relay = Relay::start()?;
    let time = Duration::from_secs(args.seconds);
    let talking = talkers(&relay, args.pairs, args.transport).await?;
    let mut fleet = Fleet::new(acking(talking, args.ack_each), args.window);
    let mut bound = if args.with_bound { Some(bound(&args).await?) } else { None };
    let (mut rounds, mut bounds) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds.max(1) {
        rounds.push(through_relay(&mut fleet, time, &relay).await?);
        if let Some((process, fleet)) = &mut bound {
            bounds.push(through_bound(fleet, time, process).await?);
        }
    }
    let figures = Figures::default()
        .word("transport", args.transport.word())
        .count("connections", 2 * args.pairs as u64)
        .count("window", args.window);
    let figures = told(figures, &rounds).number("relay_rss_mib", relay.process.rss_kib()? as f64 / 1024.0, 1);
    Ok(if bounds.is_empty() { figures } else { compared(figures, &rounds, &bounds) })
}

fn told(figures: Figures, rounds: &[Round]) -> Figures {
    let middle = |value: fn(&Round) -> f64| median(rounds.iter().map(value));
    figures
        .number("msgs_per_s", middle(|round| round.sample.per_second()), 0)
        .number("deliver_p50_ms", middle(|round| round.sample.p50_ms), 2)
        .number("deliver_p99_ms", middle(|round| round.sample.p99_ms), 2)
        .number("relay_cpu_ms_per_1000", middle(|round| round.cpu_ms_per_1000), 2)
        .number("fsyncs", middle(|round| round.syncs as f64), 0)
}

/// Ratios of neighbouring rounds, so that what else the machine does weighs on both alike.
fn compared(figures: Figures, rounds: &[Round], bounds: &[Round]) -> Figures {
    let middle = |value: fn(&Round) -> f64| median(bounds.iter().map(value));
    let ratio =
        |value: fn(&Round) -> f64| median(rounds.iter().zip(bounds).map(|(ours, bound)| value(ours) / value(bound)));
    figures
        .word("bound_transport", Transport::Ws.word())
        .number("bound_msgs_per_s", middle(|round| round.sample.per_second()), 0)
        .number("bound_p99_ms", middle(|round| round.sample.p99_ms), 2)
        .number("bound_cpu_ms_per_1000", middle(|round| round.cpu_ms_per_1000), 2)
        .number("bound_ratio", ratio(|round| round.sample.per_second()), 3)
        .number("bound_cpu_ratio", ratio(|round| round.cpu_ms_per_1000), 2)
        .number("bound_p99_ratio", ratio(|round| round.sample.p99_ms), 2)
}

async fn through_relay(fleet: &mut Fleet, time: Duration, relay: &Relay) -> Result<Round, BenchError> {
    let look = || Ok((relay.process.cpu_ms()?, relay.counters()?));
    let (sample, before, after): (_, (u64, Counters), (u64, Counters)) = fleet.run(time, look).await?;
    Ok(round(sample, after.0 - before.0, after.1.syncs - before.1.syncs))
}

async fn through_bound(fleet: &mut Fleet, time: Duration, bound: &Bound) -> Result<Round, BenchError> {
    let (sample, before, after) = fleet.run(time, || bound.process.cpu_ms()).await?;
    Ok(round(sample, after - before, 0))
}

fn round(sample: Sample, cpu_ms: u64, syncs: u64) -> Round {
    Round { sample, cpu_ms_per_1000: cpu_ms as f64 * 1000.0 / sample.messages.max(1) as f64, syncs }
}

async fn bound(args: &Args) -> Result<(Bound, Fleet), BenchError> {
    let bound = Bound::start()?;
    let mut talkers = Vec::new();
    for number in 0..2 * args.pairs {
        talkers.push(BoundTalker::connect(bound.address, number as u64).await?);
    }
    Ok((bound, Fleet::new(talkers, args.window)))
}

/// With their way to acknowledge.
fn acking(talkers: impl IntoIterator<Item = RelayTalker>, ack_each: bool) -> Vec<RelayTalker> {
    talkers.into_iter().map(|talker| RelayTalker { ack_each, ..talker }).collect()
}

/// Registered, attached, and with a founded chat each pair.
pub async fn talkers(relay: &Relay, pairs: usize, transport: Transport) -> Result<Vec<RelayTalker>, BenchError> {
    let pairs: Vec<[RelayTalker; 2]> = stream::iter(0..pairs)
        .map(|pair| couple((&relay.invite, &relay.invite), pair, transport))
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    Ok(pairs.into_iter().flatten().collect())
}

async fn couple(
    (here, there): (&Invite, &Invite),
    pair: usize,
    transport: Transport,
) -> Result<[RelayTalker; 2], BenchError> {
    let mut one = join(here, 2 * pair, transport).await?;
    let mut other = join(there, 2 * pair + 1, transport).await?;
    let (chat, base) = one.found(other.known).await?;
    one.attach().await?;
    other.attach().await?;
    let partner = other.known;
    let (known, founder) = (one.known, RelayTalker::new(one, partner, chat, base, N(2))?);
    Ok([founder, RelayTalker::new(other, known, chat, base, N(1))?])
}

pub async fn join(invite: &Invite, number: usize, transport: Transport) -> Result<Member, BenchError> {
    Member::register(invite, &Person::new(number)?, transport).await
}

/// One end of a pair at a relay.
pub struct RelayTalker {
    member: Member,
    partner: Known,
    chat: ChatId,
    base: Seq,
    n: N,
    body: [u8; BODY],
    ack_each: bool,
}

impl RelayTalker {
    fn new(member: Member, partner: Known, chat: ChatId, base: Seq, n: N) -> Result<Self, BenchError> {
        Ok(Self { member, partner, chat, base, n, body: random()?, ack_each: false })
    }
}

impl Talker for RelayTalker {
    fn wire(&mut self) -> &mut Wire {
        &mut self.member.wire
    }

    fn message(&mut self, stamp: Stamp) -> Bytes {
        stamp.put(&mut self.body);
        let body = Body(Bytes::copy_from_slice(&self.body));
        let send = Send { chat: self.chat, n: self.n, base: self.base, body };
        self.n = self.n.next();
        self.member.request(Request::Send(send))
    }

    fn hear(&mut self, frame: &Bytes) -> Result<Heard, BenchError> {
        match decode(frame)? {
            RelayFrame::Answer(answered) => match answered.answer {
                Answer::Sent(_) => Ok(Heard::Answered),
                other => Err(BenchError::unexpected("that a message was sent", &other)),
            },
            RelayFrame::Deliver(envelope) => {
                self.member.saw(&envelope);
                match &envelope.body {
                    Some(body) if envelope.from == self.partner.device && body.len() == BODY => {
                        Ok(Heard::Message(Stamp::of(body)?))
                    }
                    // The founding, the welcome, and echoes of its own.
                    _ => Ok(Heard::Nothing),
                }
            }
            _ => Ok(Heard::Nothing),
        }
    }

    async fn settle(&mut self, all: bool) -> Result<(), BenchError> {
        self.member.ack(all || self.ack_each).await
    }
}

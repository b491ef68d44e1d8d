//! What was seen: how busy everything was, how long people waited, how soon all was well again after a failure.

use super::histogram::Histogram;
use super::node::Node;
use super::spec::{Spec, What};
use super::{Nanos, SECOND, costs, in_seconds};
use std::fmt;

/// After a failure writing is well again once 99 of 100 messages of a second are accepted within this.
const WELL: Nanos = SECOND;
/// And remains so for so many seconds.
const FOR: usize = 3;
/// All are back once only so few of a thousand are not connected: somebody is always on the move.
const AWAY: f64 = 1.0;
/// Over so many seconds the busiest time is looked for.
const WINDOW: usize = 10;

/// One second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Messages accepted in it.
    pub accepted: f64,
    /// Within which time 99 of 100 of them were.
    pub accept_p99: Nanos,
    /// Devices connected at its end.
    pub connected: f64,
    /// Commands that somebody waits for at its end.
    pub waiting: f64,
    /// Nothing was accepted in it, though messages waited since before.
    pub stalled: bool,
    /// Work that came to the busiest node, in parts of what it can do: its other threads, those that apply.
    pub front: f64,
    /// The latter.
    pub apply: f64,
}

impl Moment {
    /// Writing is as it should be.
    fn writes_well(&self) -> bool {
        self.accept_p99 <= WELL && !self.stalled
    }
}

/// What is counted while a world runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) accept: Histogram,
    pub(super) deliver: Histogram,
    pub(super) back: Histogram,
    pub(super) refused: f64,
    pub(super) given_up: f64,
    pub(super) sent: f64,
    pub(super) pushes: f64,
    pub(super) appending: Nanos,
    records: f64,
    counts: [f64; 3],
    this_second: Histogram,
    /// Messages sent and not accepted when the last second was over.
    open: f64,
    moments: Vec<Moment>,
    busy: Vec<(Nanos, Nanos)>,
    ends: Vec<(f64, f64)>,
}

impl Tally {
    pub(super) fn new(spec: &Spec) -> Self {
        Self { busy: vec![(0, 0); spec.nodes], ..Self::default() }
    }

    pub(super) fn accepted(&mut self, after: Nanos, messages: f64) {
        self.accept.add(after, messages);
        self.this_second.add(after, messages);
    }

    pub(super) fn record(&mut self, messages: f64, receipts: f64, acks: f64) {
        self.records += 1.0;
        self.counts.iter_mut().zip([messages, receipts, acks]).for_each(|(count, more)| *count += more);
    }

    pub(super) fn second(&mut self, connected: f64, waiting: f64, nodes: &[Node]) {
        let (mut front, mut apply) = (0.0_f64, 0.0_f64);
        for (node, busy) in nodes.iter().zip(&mut self.busy) {
            let now = (node.front.busy(), node.apply.busy());
            let came = |now: Nanos, before: Nanos| now.saturating_sub(before) as f64 / SECOND as f64;
            front = front.max(came(now.0, busy.0) / node.front.servers() as f64);
            apply = apply.max(came(now.1, busy.1) / node.apply.servers() as f64);
            *busy = now;
        }
        let second = std::mem::take(&mut self.this_second);
        let (accepted, accept_p99) = (second.total(), second.quantile(0.99));
        let open = std::mem::replace(&mut self.open, self.sent - self.accept.total());
        let stalled = accepted == 0.0 && open > 0.0;
        self.moments.push(Moment { accepted, accept_p99, connected, waiting, stalled, front, apply });
    }

    /// The end has come: what is not done was not work.
    pub(super) fn end(&mut self, nodes: &[Node], end: Nanos) {
        let of = |node: &Node| {
            let (mut front, mut apply) = (node.front.clone(), node.apply.clone());
            front.stop(end);
            apply.stop(end);
            let part = |busy: Nanos, servers: usize| busy as f64 / end.max(1) as f64 / servers as f64;
            (part(front.busy(), front.servers()), part(apply.busy(), apply.servers()))
        };
        self.ends = nodes.iter().map(of).collect();
    }
}

/// How soon all was well again after a failure, in seconds; none if it was not before the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// After what.
    pub what: What,
    /// Until messages were accepted as always.
    pub writes: Option<f64>,
    /// Until everybody was connected again.
    pub people: Option<f64>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// From sending a message for the first time to its answer.
    pub accept: Histogram,
    /// From there to its push to a reader that is connected.
    pub deliver: Histogram,
    /// From losing a connection to being logged in again.
    pub back: Histogram,
    /// Commands refused because too many waited, or given up after ten seconds; all were sent again.
    pub refused: f64,
    /// The latter.
    pub given_up: f64,
    /// Messages that devices have sent, each counted once.
    pub sent: f64,
    /// Commands a second in all logs: messages, receipts, acknowledgements.
    pub per_second: [f64; 3],
    /// Envelopes pushed a second.
    pub pushes: f64,
    /// Records a second.
    pub records: f64,
    /// How busy the busiest node's threads were, those that apply apart; mean over all the time.
    pub front: f64,
    /// The latter.
    pub apply: f64,
    /// The same in the ten busiest seconds.
    pub front_most: f64,
    /// The same.
    pub apply_most: f64,
    /// Share of the time in which a record was on its way, mean of all logs.
    pub append: f64,
    /// Cores that the three NATS servers have used.
    pub nats_cores: f64,
    /// Most commands that have waited.
    pub waiting_most: f64,
    /// After each failure.
    pub recoveries: Vec<Recovery>,
    /// Each second.
    pub moments: Vec<Moment>,
}

impl Report {
    pub(super) fn of(spec: &Spec, tally: Tally) -> Self {
        let rate = |count: f64| count / spec.lasts;
        let commands: f64 = tally.counts.iter().sum();
        let idle = costs::nats_idle(spec.partitions as f64, spec.nodes as f64) * spec.lasts;
        let nats = idle + tally.records * costs::NATS_RECORD + commands * costs::NATS_COMMAND;
        let most = |of: fn(&(f64, f64)) -> f64| tally.ends.iter().map(of).fold(0.0, f64::max);
        let busiest = |of: fn(&Moment) -> f64| {
            let mean = |window: &[Moment]| window.iter().map(of).sum::<f64>() / window.len() as f64;
            tally.moments.windows(WINDOW.min(tally.moments.len()).max(1)).map(mean).fold(0.0, f64::max)
        };
        let recoveries = spec.faults.iter().map(|fault| recovery(spec, &tally.moments, fault.at, fault.what)).collect();
        Self {
            refused: tally.refused,
            given_up: tally.given_up,
            sent: tally.sent,
            per_second: tally.counts.map(rate),
            pushes: rate(tally.pushes),
            records: rate(tally.records),
            front: most(|end| end.0),
            apply: most(|end| end.1),
            front_most: busiest(|moment| moment.front),
            apply_most: busiest(|moment| moment.apply),
            append: in_seconds(tally.appending) / spec.lasts / spec.partitions as f64,
            nats_cores: rate(nats) / SECOND as f64,
            waiting_most: tally.moments.iter().map(|moment| moment.waiting).fold(0.0, f64::max),
            recoveries,
            accept: tally.accept,
            deliver: tally.deliver,
            back: tally.back,
            moments: tally.moments,
        }
    }

    /// It had more to do than it could: in the last seconds people still waited, or had no connection.
    pub fn is_overloaded(&self, spec: &Spec) -> bool {
        let mut last = self.moments.iter().rev().take(FOR);
        let well = last.all(|moment| moment.writes_well() && moment.connected > spec.devices * 0.99);
        !well
    }
}

/// Until behind the last second that was not well, before the next failure comes.
fn recovery(spec: &Spec, moments: &[Moment], at: f64, what: What) -> Recovery {
    let next = spec.faults.iter().map(|fault| fault.at).filter(|other| *other > at).fold(spec.lasts, f64::min);
    // A moment is looked at when its second is over: the last one before the next failure sees that already.
    let end = if next < spec.lasts { next.floor() as usize - 1 } else { moments.len() };
    let (begin, end) = (at.floor() as usize, end.min(moments.len()));
    let seconds = moments.get(begin..end).unwrap_or_default();
    let until = |well: &dyn Fn(&Moment) -> bool| {
        let bad = seconds.iter().rposition(|moment| !well(moment)).map_or(0, |last| last + 1);
        (seconds.len() >= bad + FOR).then(|| ((begin + bad) as f64 - at).max(0.0))
    };
    let enough = (spec.devices * (1.0 - AWAY / 1000.0)).floor();
    Recovery { what, writes: until(&Moment::writes_well), people: until(&|moment: &Moment| moment.connected >= enough) }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Nanos| time as f64 / 1e6;
        let [messages, receipts, acks] = self.per_second;
        writeln!(f, "a second: {messages:.1} messages, {receipts:.0} receipts, {acks:.0} acknowledgements; ")?;
        writeln!(f, "          {:.0} records, {:.0} pushes", self.records, self.pushes)?;
        writeln!(
            f,
            "busiest node, mean and ten seconds: applying {:.1} %, {:.1} %;",
            100.0 * self.apply,
            100.0 * self.apply_most
        )?;
        writeln!(f, "          its other threads {:.1} %, {:.1} %", 100.0 * self.front, 100.0 * self.front_most)?;
        writeln!(f, "appending {:.1} % of the time; NATS {:.2} cores in all", 100.0 * self.append, self.nats_cores)?;
        for (what, times) in [("accepted", &self.accept), ("delivered", &self.deliver), ("back", &self.back)] {
            let (half, most) = (ms(times.quantile(0.5)), ms(times.quantile(0.99)));
            writeln!(f, "{what} within: p50 {half:.1} ms, p99 {most:.1} ms, all {:.0} ms", ms(times.most()))?;
        }
        writeln!(
            f,
            "refused {:.0}, given up {:.0}, most waiting {:.0}",
            self.refused, self.given_up, self.waiting_most
        )?;
        for Recovery { what, writes, people } in &self.recoveries {
            let told = |time: &Option<f64>| time.map_or("not before the end".into(), |time| format!("{time:.0} s"));
            writeln!(f, "{what:?}: writes well after {}, everybody back after {}", told(writes), told(people))?;
        }
        Ok(())
    }
}

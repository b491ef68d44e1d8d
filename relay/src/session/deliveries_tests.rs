#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::{Pages, Unreadable, Wanted};
use super::*;
use crate::hub::Push;
use crate::session::fixtures;
use aside_protocol::codec;
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::RelayFrame;
use aside_relay_core::{CatchUp, Page};
use proptest::prelude::*;
use std::collections::VecDeque;

const DEVICE: DeviceId = DeviceId([1; 16]);
const LOG: LogId = LogId([2; 16]);
const PARTITIONS: u16 = 3;

/// What may happen next, in any order.
#[derive(Debug, Clone)]
enum Event {
    /// A partition commits an envelope, meant for this device or not; its push comes later.
    Commit(u16, bool),
    /// A partition's writer pushes the oldest envelope not pushed yet.
    Push(u16),
    /// The session takes a push, of whichever partition, or learns that it lagged.
    Take,
    /// A reader thread reads the page that it was lent a catch-up for.
    Read,
    /// It fails instead.
    Fail,
    /// The session gets the page.
    Page,
    /// Time passes.
    Tick,
    /// The client acknowledges some of what it got of a partition.
    Ack(u16, usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (0..PARTITIONS, any::<bool>()).prop_map(|(partition, meant)| Event::Commit(partition, meant)),
        6 => (0..PARTITIONS).prop_map(Event::Push),
        6 => Just(Event::Take),
        4 => Just(Event::Read),
        1 => Just(Event::Fail),
        4 => Just(Event::Page),
        1 => Just(Event::Tick),
        3 => (0..PARTITIONS, 1..10usize).prop_map(|(partition, part)| Event::Ack(partition, part)),
    ];
    prop::collection::vec(event, 0..300)
}

/// One partition, and what of it the client has.
#[derive(Debug, Default)]
struct Log {
    head: u64,
    meant: Vec<u64>,
    pushed: u64,
    reading_at: u64,
    got: Vec<u64>,
    acked: usize,
    caught_up: usize,
}

/// Three partitions, a mailbox and a reader around one session's deliveries.
struct Sim {
    deliveries: Deliveries,
    pages: Pages,
    logs: Vec<Log>,
    window: usize,
    queue: VecDeque<(u16, u64)>,
    capacity: usize,
    lagged: bool,
    lent: Option<(Wanted, Box<CatchUp>)>,
    read: Option<(PartitionId, Box<CatchUp>, Result<Page, Unreadable>)>,
}

impl Sim {
    fn new(window: usize, capacity: usize, before: &[u64]) -> Self {
        let log = |head: &u64| Log { head: *head, meant: (1..=*head).collect(), pushed: *head, ..Log::default() };
        let logs: Vec<Log> = before.iter().map(log).collect();
        let positions = (0..).map(PartitionId).zip(before);
        let positions: Vec<Position> =
            positions.map(|(partition, head)| Position { partition, acked: Pos(0), head: Pos(*head) }).collect();
        let cursors = positions.iter().map(|place| Cursor { log: LOG, partition: place.partition, pos: Pos(0) });
        let attach = Attach { cursors: cursors.collect() };
        let (deliveries, pages) = (Deliveries::new(DEVICE, positions, window), Pages::default());
        let (queue, lagged, lent, read) = (VecDeque::new(), false, None, None);
        let mut sim = Self { deliveries, pages, logs, window, queue, capacity, lagged, lent, read };
        let mut out = Out::default();
        sim.deliveries.attach(&LOG, &attach, &mut out);
        sim.carry_out(out);
        sim
    }

    fn step(&mut self, event: &Event) {
        let mut out = Out::default();
        match *event {
            Event::Commit(partition, meant) => {
                let log = &mut self.logs[usize::from(partition)];
                log.head += 1;
                if meant {
                    log.meant.push(log.head);
                }
            }
            Event::Push(partition) => self.push(partition),
            Event::Take => match self.queue.pop_front() {
                Some((partition, pos)) => self.deliveries.delivered(Input::Push(push(partition, pos)), &mut out),
                None if std::mem::take(&mut self.lagged) => self.deliveries.delivered(Input::Lagged, &mut out),
                None => {}
            },
            Event::Read => self.read(),
            Event::Fail => {
                if let Some((wanted, catch_up)) = self.lent.take() {
                    self.read = Some((wanted.partition, catch_up, Err(Unreadable)));
                }
            }
            Event::Page => {
                if let Some((partition, catch_up, page)) = self.read.take() {
                    self.pages.give_back(partition, catch_up);
                    self.deliveries.delivered(Input::Page { partition, page }, &mut out);
                }
            }
            Event::Tick => self.deliveries.delivered(Input::Tick, &mut out),
            Event::Ack(partition, part) => self.ack(partition, part, &mut out),
        }
        self.carry_out(out);
    }

    fn push(&mut self, partition: u16) {
        let log = &mut self.logs[usize::from(partition)];
        let Some(pos) = log.meant.iter().copied().find(|pos| *pos > log.pushed) else {
            return;
        };
        log.pushed = pos;
        if self.lagged || self.queue.len() >= self.capacity {
            self.lagged = true;
        } else {
            self.queue.push_back((partition, pos));
        }
    }

    fn read(&mut self) {
        let Some((wanted, catch_up)) = self.lent.take() else {
            return;
        };
        let log = &mut self.logs[usize::from(wanted.partition.0)];
        let after = log.meant.iter().copied().filter(|pos| *pos > log.reading_at);
        let found: Vec<u64> = after.take(wanted.most).collect();
        log.reading_at = found.last().copied().unwrap_or(log.head);
        let done_up_to = found.is_empty().then_some(Pos(log.head));
        let envelopes = found.into_iter().map(|pos| envelope(wanted.partition, pos)).collect();
        self.read = Some((wanted.partition, catch_up, Ok(Page { envelopes, done_up_to })));
    }

    fn ack(&mut self, partition: u16, part: usize, out: &mut Out) {
        let log = &mut self.logs[usize::from(partition)];
        log.acked = log.got.len().min(log.acked + part);
        if let Some(last) = log.acked.checked_sub(1) {
            self.deliveries.ack(Ack { partition: PartitionId(partition), pos: Pos(log.got[last]) }, out);
        }
    }

    fn carry_out(&mut self, out: Out) {
        for output in out.into_outputs() {
            match output {
                Output::Send(bytes) => match codec::decode(&bytes).unwrap() {
                    RelayFrame::Deliver(envelope) => {
                        self.logs[usize::from(envelope.partition.0)].got.push(envelope.pos.0);
                    }
                    RelayFrame::CaughtUp(up) => self.logs[usize::from(up.partition.0)].caught_up += 1,
                    other => panic!("{other:?}"),
                },
                Output::StartCatchUp(device, partition, from) => {
                    self.logs[usize::from(partition.0)].reading_at = from.0;
                    self.pages.start(partition, CatchUp::new(device, from));
                }
                Output::NextPage { partition, most, bytes } => self.pages.want(Wanted { partition, most, bytes }),
                Output::Ack(device, partition, pos) => {
                    let log = &self.logs[usize::from(partition.0)];
                    assert_eq!((device, Some(&pos.0)), (DEVICE, log.acked.checked_sub(1).map(|last| &log.got[last])));
                }
                other => panic!("{other:?}"),
            }
        }
        if let Some(lent) = self.pages.lend() {
            assert!(self.lent.replace(lent).is_none() && self.read.is_none(), "one page at a time");
        }
        let full = self.logs.iter().any(|log| log.got.len() - log.acked > self.window);
        assert!(!full, "never more in flight than the window");
    }

    /// Lets everything run until nothing happens any more, but that only some partitions are acknowledged.
    fn settle(&mut self, acked: &[u16]) {
        let most: usize = self.logs.iter().map(|log| log.meant.len() + 4).sum();
        let mut events = vec![Event::Take, Event::Tick];
        events.extend((0..PARTITIONS).flat_map(|_| [Event::Read, Event::Page]));
        events.extend(acked.iter().map(|partition| Event::Ack(*partition, usize::MAX / 2)));
        for _ in 0..2 * most {
            (0..PARTITIONS).for_each(|partition| self.step(&Event::Push(partition)));
            events.iter().for_each(|event| self.step(event));
        }
    }
}

fn envelope(partition: PartitionId, pos: u64) -> Envelope {
    fixtures::envelope(DEVICE, partition, pos)
}

fn push(partition: u16, pos: u64) -> Push {
    let partition = PartitionId(partition);
    let frame = codec::encode(&RelayFrame::Deliver(envelope(partition, pos)));
    Push { partition, pos: Pos(pos), weight: 1, frame }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_everything_of_each_partition_is_sent_once_and_in_order(
        events in events(), window in 1..5usize, capacity in 1..4usize,
        before in prop::collection::vec(0..8u64, usize::from(PARTITIONS)),
    ) {
        let mut sim = Sim::new(window, capacity, &before);
        for event in &events {
            sim.step(event);
            for log in &sim.logs {
                prop_assert_eq!(&log.got[..], &log.meant[..log.got.len()], "no gap, none twice");
            }
        }
        sim.settle(&[0, 1, 2]);
        for log in &sim.logs {
            prop_assert_eq!(&log.got, &log.meant);
            prop_assert_eq!(log.caught_up, 1, "said once");
        }
    }
}

/// The window of each partition counts for itself.
#[test]
fn a_partition_that_is_not_acknowledged_holds_no_other_one_up() {
    let mut sim = Sim::new(2, 4, &[9, 9, 9]);
    sim.settle(&[0, 2]);
    let got = |sim: &Sim| sim.logs.iter().map(|log| log.got.len()).collect::<Vec<_>>();
    assert_eq!(got(&sim), [9, 2, 9]);
    for partition in 0..PARTITIONS {
        sim.step(&Event::Commit(partition, true));
    }
    sim.settle(&[0, 2]);
    assert_eq!(got(&sim), [10, 2, 10], "live ones too");
    sim.settle(&[1]);
    assert_eq!(got(&sim), [10, 10, 10]);
}

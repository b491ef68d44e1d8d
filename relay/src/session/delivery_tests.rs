#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::session::fixtures;
use aside_protocol::codec;
use aside_protocol::envelope::Envelope;
use proptest::prelude::*;

const DEVICE: DeviceId = DeviceId([1; 16]);
const PARTITION: PartitionId = PartitionId(3);

/// A device that begins at 0.
fn start(head: u64, window: usize, out: &mut Out) -> Delivery {
    Delivery::start(DEVICE, Position { partition: PARTITION, acked: Pos(0), head: Pos(head) }, window, out)
}

/// What may happen next, in any order.
#[derive(Debug, Clone)]
enum Event {
    /// The core commits an envelope, meant for this device or not; its push comes later.
    Commit { meant: bool },
    /// The writer pushes the oldest envelope not pushed yet.
    Push,
    /// The session takes a push out of its queue, or learns that it lagged.
    Take,
    /// A reader thread reads the page that was asked for.
    Read,
    /// The session gets the page.
    Page,
    /// The reader fails instead.
    Fail,
    /// Time passes.
    Tick,
    /// The client acknowledges some of what it got.
    Ack { part: usize },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => any::<bool>().prop_map(|meant| Event::Commit { meant }),
        6 => Just(Event::Push),
        6 => Just(Event::Take),
        4 => Just(Event::Read),
        4 => Just(Event::Page),
        1 => Just(Event::Fail),
        1 => Just(Event::Tick),
        3 => (1..10usize).prop_map(|part| Event::Ack { part }),
    ];
    prop::collection::vec(event, 0..200)
}

/// A log, a hub's queue and a reader around one delivery.
struct Sim {
    delivery: Delivery,
    head: u64,
    meant: Vec<u64>,
    pushed: u64,
    queue: VecDeque<u64>,
    capacity: usize,
    lagged: bool,
    reading_at: u64,
    asked: Option<usize>,
    page: Option<Result<Page, Unreadable>>,
    got: Vec<u64>,
    acked: usize,
    caught_up: usize,
}

impl Sim {
    fn new(window: usize, capacity: usize, before: u64) -> Self {
        let mut out = Out::default();
        let delivery = start(before, window, &mut out);
        let mut sim = Self {
            delivery,
            head: before,
            meant: (1..=before).collect(),
            pushed: before,
            queue: VecDeque::new(),
            capacity,
            lagged: false,
            reading_at: 0,
            asked: None,
            page: None,
            got: Vec::new(),
            acked: 0,
            caught_up: 0,
        };
        sim.carry_out(out);
        sim
    }

    fn step(&mut self, event: &Event) {
        let mut out = Out::default();
        match event {
            Event::Commit { meant } => {
                self.head += 1;
                if *meant {
                    self.meant.push(self.head);
                }
            }
            Event::Push => self.push(),
            Event::Take => match self.queue.pop_front() {
                Some(pos) => self.delivery.push(push(pos, 1), &mut out),
                None if std::mem::take(&mut self.lagged) => self.delivery.lagged(&mut out),
                None => {}
            },
            Event::Read => self.read(),
            Event::Page => {
                if let Some(page) = self.page.take() {
                    self.delivery.page(page, &mut out);
                }
            }
            Event::Fail => {
                if self.asked.take().is_some() {
                    self.page = Some(Err(Unreadable));
                }
            }
            Event::Tick => self.delivery.tick(&mut out),
            Event::Ack { part } => {
                self.acked = self.got.len().min(self.acked + part);
                if let Some(last) = self.acked.checked_sub(1) {
                    assert!(self.delivery.ack(Pos(self.got[last]), &mut out));
                }
            }
        }
        self.carry_out(out);
    }

    fn push(&mut self) {
        let Some(pos) = self.meant.iter().copied().find(|pos| *pos > self.pushed) else {
            return;
        };
        self.pushed = pos;
        if self.lagged || self.queue.len() >= self.capacity {
            self.lagged = true;
        } else {
            self.queue.push_back(pos);
        }
    }

    fn read(&mut self) {
        let Some(most) = self.asked.take() else {
            return;
        };
        let found: Vec<u64> = self.meant.iter().copied().filter(|pos| *pos > self.reading_at).take(most).collect();
        self.reading_at = found.last().copied().unwrap_or(self.head);
        let done_up_to = found.is_empty().then_some(Pos(self.head));
        self.page = Some(Ok(Page { envelopes: found.into_iter().map(envelope).collect(), done_up_to }));
    }

    fn carry_out(&mut self, out: Out) {
        for output in out.into_outputs() {
            match output {
                Output::Send(bytes) => match codec::decode(&bytes).unwrap() {
                    RelayFrame::Deliver(envelope) => self.got.push(envelope.pos.0),
                    RelayFrame::CaughtUp(up) => {
                        assert_eq!(up.partition, PARTITION);
                        self.caught_up += 1;
                    }
                    other => panic!("{other:?}"),
                },
                Output::StartCatchUp(_, PARTITION, from) => {
                    assert!(self.asked.is_none() && self.page.is_none(), "never two reads at a time");
                    self.reading_at = from.0;
                }
                Output::NextPage { partition: PARTITION, most, .. } => {
                    assert!(self.asked.replace(most).is_none() && self.page.is_none());
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(self.got.len() - self.acked <= self.delivery.window, "never more in flight than the window");
    }

    /// Lets everything run until nothing happens any more.
    fn settle(&mut self) {
        for _ in 0..self.meant.len() + 4 {
            for event in [Event::Push, Event::Take, Event::Tick, Event::Read, Event::Page, Event::Ack { part: 100 }] {
                for _ in 0..self.meant.len().max(4) {
                    self.step(&event);
                }
            }
        }
    }
}

fn envelope(pos: u64) -> Envelope {
    fixtures::envelope(DEVICE, PARTITION, pos)
}

fn push(pos: u64, weight: usize) -> Push {
    let frame = codec::encode(&RelayFrame::Deliver(envelope(pos)));
    Push { partition: PARTITION, pos: Pos(pos), weight, frame }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_order_everything_is_sent_once_and_in_order(
        events in events(), window in 1..5usize, capacity in 1..4usize, before in 0..12u64,
    ) {
        let mut sim = Sim::new(window, capacity, before);
        for event in &events {
            sim.step(event);
            prop_assert_eq!(&sim.got[..], &sim.meant[..sim.got.len()], "no gap, none twice");
        }
        sim.settle();
        prop_assert_eq!(&sim.got, &sim.meant);
        prop_assert_eq!(sim.caught_up, 1, "said once");
    }
}

#[test]
fn an_ack_beyond_what_was_sent_is_refused() {
    let mut sim = Sim::new(10, 10, 3);
    sim.settle();
    let mut out = Out::default();
    assert!(!sim.delivery.ack(Pos(4), &mut out));
    assert!(sim.delivery.ack(Pos(3), &mut out));
}

#[test]
fn bytes_fill_the_window_too() {
    let mut out = Out::default();
    let mut delivery = start(0, 256, &mut out);
    delivery.page(Ok(Page { envelopes: vec![], done_up_to: Some(Pos(0)) }), &mut out);
    let mut out = Out::default();
    for pos in 1..=5 {
        delivery.push(push(pos, WINDOW_BYTES / 4), &mut out);
    }
    assert_eq!(out.into_outputs().len(), 4, "the fifth waits");
    let mut out = Out::default();
    assert!(delivery.ack(Pos(1), &mut out));
    let wanted = Output::NextPage { partition: PARTITION, most: 253, bytes: WINDOW_BYTES / 4 };
    assert_eq!(out.into_outputs(), [Output::StartCatchUp(DEVICE, PARTITION, Pos(4)), wanted]);
}

/// A log that grows while it is read must not keep a device from being caught up with what was there when it came.
#[test]
fn a_log_that_never_ends_is_caught_up_with_all_the_same() {
    let mut out = Out::default();
    let mut delivery = start(2, 256, &mut out);
    let announced = |out: Out| {
        let caught_up = codec::encode(&RelayFrame::CaughtUp(CaughtUp { partition: PARTITION, pos: Pos(3) }));
        out.into_outputs().contains(&Output::Send(caught_up))
    };
    for (pos, expected) in [(1, false), (3, true), (4, false)] {
        let mut out = Out::default();
        delivery.page(Ok(Page { envelopes: vec![envelope(pos)], done_up_to: None }), &mut out);
        assert_eq!(announced(out), expected, "after {pos}");
    }
}

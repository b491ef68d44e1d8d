//! Delivery of one partition to one device: catching up from the log, then live from the hub, never a gap and never twice (rules `WIN-1`
//! to `WIN-3`).
//!
//! Everything up to `sent_to` was sent. A push at or below it is dropped. A push that comes while the log is being read,
//! or that the window has no room for, is dropped too and read from the log later: it was committed before it was pushed.

use super::Unreadable;
use super::out::{Out, Output};
use crate::hub::Push;
use aside_protocol::frame::{CaughtUp, Position, RelayFrame};
use aside_protocol::limits::WINDOW_BYTES;
use aside_protocol::{DeviceId, PartitionId, Pos};
use aside_relay_core::Page;
use std::collections::VecDeque;

/// Where envelopes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The hub.
    Live,
    /// The log; a page is under way. Pushes up to the position were dropped meanwhile.
    Reading(Pos),
    /// The log, where the last page ended, as soon as the window has room.
    Paused,
    /// The log, after `sent_to`, as soon as the window has room.
    Behind,
    /// The log could not be read; the next tick tries again.
    Stuck,
}

/// The delivery state of an attached device in one partition.
#[derive(Debug)]
pub(super) struct Delivery {
    device: DeviceId,
    partition: PartitionId,
    window: usize,
    sent_to: Pos,
    in_flight: VecDeque<(Pos, usize)>,
    bytes: usize,
    source: Source,
    /// The partition's head when the device logged in: what it waits for to be caught up.
    head: Pos,
    announced: bool,
}

impl Delivery {
    /// Begins after what the device has.
    pub(super) fn start(device: DeviceId, place: Position, window: usize, out: &mut Out) -> Self {
        let mut delivery = Self {
            device,
            partition: place.partition,
            window: window.max(1),
            sent_to: place.acked,
            in_flight: VecDeque::new(),
            bytes: 0,
            source: Source::Behind,
            head: place.head,
            announced: false,
        };
        delivery.read_again(out);
        delivery
    }

    /// An envelope from the hub.
    pub(super) fn push(&mut self, push: Push, out: &mut Out) {
        match self.source {
            _ if push.pos <= self.sent_to => {}
            Source::Live if self.has_room() => {
                self.sent(push.pos, push.weight);
                out.push(Output::Send(push.frame));
            }
            Source::Live => self.source = Source::Behind,
            Source::Reading(dropped) => self.source = Source::Reading(dropped.max(push.pos)),
            Source::Stuck | Source::Paused | Source::Behind => {}
        }
    }

    /// The hub dropped pushes before this.
    pub(super) fn lagged(&mut self, out: &mut Out) {
        match self.source {
            Source::Live => self.read_again(out),
            Source::Reading(_) => self.source = Source::Reading(Pos(u64::MAX)),
            Source::Paused | Source::Behind | Source::Stuck => {}
        }
    }

    /// Tries again what failed.
    pub(super) fn tick(&mut self, out: &mut Out) {
        if self.source == Source::Stuck {
            self.read_again(out);
        }
    }

    /// A page of the log.
    pub(super) fn page(&mut self, page: Result<Page, Unreadable>, out: &mut Out) {
        let Source::Reading(dropped) = self.source else {
            return;
        };
        let Ok(page) = page else {
            self.source = Source::Stuck;
            return;
        };
        for envelope in page.envelopes {
            self.sent(envelope.pos, envelope.weight());
            out.frame(&RelayFrame::Deliver(envelope));
        }
        // Envelopes come in order, so everything up to the head was sent. The log's end may never come under load.
        if self.sent_to >= self.head {
            self.announce(out);
        }
        match page.done_up_to {
            Some(done) => self.done(done, dropped, out),
            None if self.has_room() => self.next_page(dropped, out),
            None => self.source = Source::Paused,
        }
    }

    /// Everything up to `done` was sent. Live from here on, unless a dropped push lies behind it.
    fn done(&mut self, done: Pos, dropped: Pos, out: &mut Out) {
        self.sent_to = self.sent_to.max(done);
        self.announce(out);
        if dropped > done {
            self.next_page(Pos(0), out);
        } else {
            self.source = Source::Live;
        }
    }

    fn announce(&mut self, out: &mut Out) {
        if !std::mem::replace(&mut self.announced, true) {
            out.frame(&RelayFrame::CaughtUp(CaughtUp { partition: self.partition, pos: self.sent_to }));
        }
    }

    /// The device stored everything up to `pos`. `false` if that was never sent.
    pub(super) fn ack(&mut self, pos: Pos, out: &mut Out) -> bool {
        if pos > self.sent_to {
            return false;
        }
        while let Some((_, weight)) = self.in_flight.pop_front_if(|(sent, _)| *sent <= pos) {
            self.bytes = self.bytes.saturating_sub(weight);
        }
        match self.source {
            Source::Paused if self.has_room() => self.next_page(Pos(0), out),
            Source::Behind => self.read_again(out),
            _ => {}
        }
        true
    }

    fn has_room(&self) -> bool {
        self.in_flight.len() < self.window && self.bytes < WINDOW_BYTES
    }

    fn sent(&mut self, pos: Pos, weight: usize) {
        self.sent_to = pos;
        self.in_flight.push_back((pos, weight));
        self.bytes += weight;
    }

    fn read_again(&mut self, out: &mut Out) {
        if !self.has_room() {
            self.source = Source::Behind;
            return;
        }
        out.push(Output::StartCatchUp(self.device, self.partition, self.sent_to));
        self.next_page(Pos(0), out);
    }

    fn next_page(&mut self, dropped: Pos, out: &mut Out) {
        self.source = Source::Reading(dropped);
        let (most, bytes) = (self.window - self.in_flight.len(), WINDOW_BYTES - self.bytes.min(WINDOW_BYTES));
        out.push(Output::NextPage { partition: self.partition, most: most.max(1), bytes });
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;

//! The deliveries to one device: one in each partition, none of which disturbs another.

use super::delivery::Delivery;
use super::out::{Out, Output};
use super::{Input, faults};
use aside_protocol::frame::{Ack, Attach, Position};
use aside_protocol::{Cursor, DeviceId, LogId, PartitionId, Pos};

/// Where a device stands in each partition, and what is on its way to it.
pub(super) struct Deliveries {
    device: DeviceId,
    /// The device's cursor and the head at the login; the place in the list is the partition's number.
    positions: Vec<Position>,
    window: usize,
    /// None before the device attaches, then one for each position.
    each: Vec<Delivery>,
}

impl Deliveries {
    pub(super) fn new(device: DeviceId, positions: Vec<Position>, window: usize) -> Self {
        Self { device, positions, window, each: Vec::new() }
    }

    pub(super) fn is_attached(&self) -> bool {
        !self.each.is_empty()
    }

    /// Delivery starts at the device's cursors; one of another log, or ahead of this one, counts for nothing.
    pub(super) fn attach(&mut self, log: &LogId, attach: &Attach, out: &mut Out) {
        for Position { partition, acked, head } in self.positions.iter().copied() {
            let ours = |cursor: &&Cursor| cursor.log == *log && cursor.partition == partition;
            let cursor = attach.cursors.iter().find(ours).map_or(Pos(0), |cursor| cursor.pos);
            let from = if cursor > head { Pos(0) } else { cursor };
            if from > acked {
                out.push(Output::Ack(self.device, partition, from));
            }
            let place = Position { partition, acked: from, head };
            self.each.push(Delivery::start(self.device, place, self.window, out));
        }
    }

    /// An acknowledgement moves the device's cursor in its partition.
    pub(super) fn ack(&mut self, ack: Ack, out: &mut Out) {
        let index = usize::from(ack.partition.0);
        let (Some(delivery), Some(position)) = (self.each.get_mut(index), self.positions.get_mut(index)) else {
            return faults::ACK_AHEAD.raise(out);
        };
        if !delivery.ack(ack.pos, out) {
            return faults::ACK_AHEAD.raise(out);
        }
        if ack.pos > position.acked {
            position.acked = ack.pos;
            out.push(Output::Ack(self.device, ack.partition, ack.pos));
        }
    }

    /// Pages, pushes and their like: nothing to do before the device attaches.
    pub(super) fn delivered(&mut self, input: Input, out: &mut Out) {
        match input {
            Input::Push(push) => {
                if let Some(delivery) = self.of(push.partition) {
                    delivery.push(push, out);
                }
            }
            Input::Page { partition, page } => {
                if let Some(delivery) = self.of(partition) {
                    delivery.page(page, out);
                }
            }
            // Which partitions' pushes were dropped nobody knows.
            Input::Lagged => self.each.iter_mut().for_each(|delivery| delivery.lagged(out)),
            Input::Tick => self.each.iter_mut().for_each(|delivery| delivery.tick(out)),
            _ => {}
        }
    }

    fn of(&mut self, partition: PartitionId) -> Option<&mut Delivery> {
        self.each.get_mut(usize::from(partition.0))
    }
}

#[cfg(test)]
#[path = "deliveries_tests.rs"]
mod tests;

//! Reading the log for one session: a catch-up in each partition, of which one at a time is lent to a reader thread.
//!
//! Pages may be large, and a client may not take them: none is read before the last one, of whichever partition, was
//! written. Partitions that wait for a page take turns.

use aside_protocol::PartitionId;
use aside_relay_core::CatchUp;
use std::collections::{BTreeMap, VecDeque};

/// A page that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The partition.
    pub partition: PartitionId,
    /// At most so many envelopes.
    pub most: usize,
    /// At most so many bytes of bodies, but at least one envelope.
    pub bytes: usize,
}

/// The catch-ups of a session.
#[derive(Debug, Default)]
pub struct Pages {
    catch_ups: BTreeMap<PartitionId, Box<CatchUp>>,
    waiting: VecDeque<Wanted>,
    lent: bool,
}

impl Pages {
    /// A partition's log is read from another place on.
    pub fn start(&mut self, partition: PartitionId, catch_up: CatchUp) {
        self.catch_ups.insert(partition, Box::new(catch_up));
    }

    /// The next page of a partition is wanted.
    pub fn want(&mut self, wanted: Wanted) {
        self.waiting.push_back(wanted);
    }

    /// Lends the catch-up of whose turn it is, unless one is lent.
    pub fn lend(&mut self) -> Option<(Wanted, Box<CatchUp>)> {
        while !self.lent {
            let wanted = self.waiting.pop_front()?;
            if let Some(catch_up) = self.catch_ups.remove(&wanted.partition) {
                self.lent = true;
                return Some((wanted, catch_up));
            }
        }
        None
    }

    /// The one that was lent comes back.
    pub fn give_back(&mut self, partition: PartitionId, catch_up: Box<CatchUp>) {
        self.lent = false;
        self.catch_ups.insert(partition, catch_up);
    }
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;

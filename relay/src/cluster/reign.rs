//! One time of appending: what its records say of who wrote them, and what they hold. Reads the clock and draws one number.

use crate::clock;
use aside_relay_core::Command;
use aside_relay_core::record::{Entry, Record, Submission, VERSION};
use tokio::sync::mpsc;

/// Bytes of bodies, and commands, of a record, past which nothing more is put into it.
const FULL: (usize, usize) = (256 << 10, 2_000);

/// From the first record to the last.
pub(super) struct Reign {
    owner: String,
    number: u64,
    /// Commands of its own so far, which count under its number.
    upkeep: u64,
}

impl Reign {
    /// Of a node; none without random numbers.
    pub(super) fn new(owner: &str) -> Option<Self> {
        let mut drawn = [0; 8];
        getrandom::fill(&mut drawn).ok()?;
        Some(Self { owner: owner.to_owned(), number: u64::from_be_bytes(drawn) >> 1, upkeep: 0 })
    }

    /// Whether it is the one that a record names.
    pub(super) fn is(&self, (owner, number): &(String, u64)) -> bool {
        *owner == self.owner && *number == self.number
    }

    /// A record of these.
    pub(super) fn record(&self, entries: Vec<Entry>) -> Record {
        let (owner, reign) = (self.owner.clone(), self.number);
        Record { version: VERSION, owner, reign, time: clock::wall(), check: false, entries }
    }

    /// What nobody asked for.
    pub(super) fn upkeep(&mut self, command: Command) -> Entry {
        self.upkeep += 1;
        Entry { origin: self.number, id: self.upkeep, command }
    }

    /// As much as waits, up to what a record holds, and up to which change of the directory the partition must have learned
    /// for it. What was meant for another reign comes again.
    pub(super) fn gather(&self, first: Submission, batches: &mut mpsc::Receiver<Submission>) -> (Vec<Entry>, u64) {
        let (mut entries, mut known, mut bytes, mut next) = (Vec::new(), 0, 0, Some(first));
        while let Some(part) = next.take() {
            if part.reign == self.number {
                known = part.known.max(known);
                bytes += part.entries.iter().map(|entry| entry.command.weight()).sum::<usize>();
                entries.extend(part.entries);
            }
            if bytes < FULL.0 && entries.len() < FULL.1 {
                next = batches.try_recv().ok();
            }
        }
        (entries, known)
    }
}

//! What a replicated log holds: batches of commands, each with the node that asked for it and a number of that node's, so
//! that what is logged twice counts once. Pure; the format carries a version.

use crate::{Command, CoreError, Outcome, Stamped};
use aside_protocol::Millis;
use serde::{Deserialize, Serialize};

/// The version of [`Record`] that this code writes and reads.
pub const VERSION: u64 = 2;

/// One message of a replicated log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`].
    pub version: u64,
    /// Name of the node that appended it, which appends what follows too until another name comes.
    pub owner: String,
    /// A random number below 2^63 that it drew when it began to append: a node that dies and comes back begins anew.
    pub reign: u64,
    /// That node's clock; the core never lets time go back.
    pub time: Millis,
    /// Every node tells the hash of its state after this record.
    pub check: bool,
    /// What is to be done, in this order.
    pub entries: Vec<Entry>,
}

/// A command and who wants it done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// A random number below 2^63 that a node draws at each start.
    pub origin: u64,
    /// Counted by that node from 1, rising. An entry whose number is not above the last one applied is passed over.
    pub id: u64,
    /// What to do.
    pub command: Command,
}

/// Why a record cannot be applied; the node must stop, since going on would part it from the others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// Written by newer code.
    #[error("the cluster's log has a record of version {0}, and this relay knows version {VERSION}; update this node")]
    Newer(u64),
    /// No record at all.
    #[error("the cluster's log is damaged: a record cannot be read")]
    Damaged,
}

/// Of any version.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Record {
    /// As CBOR.
    pub fn encode(&self) -> Result<Vec<u8>, CoreError> {
        cbor4ii::serde::to_vec(Vec::new(), self).map_err(|_| CoreError::Encoding)
    }

    /// Reads one.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadRecord> {
        let versioned: Versioned = cbor4ii::serde::from_slice(bytes).map_err(|_| BadRecord::Damaged)?;
        if versioned.version != VERSION {
            return Err(BadRecord::Newer(versioned.version));
        }
        cbor4ii::serde::from_slice(bytes).map_err(|_| BadRecord::Damaged)
    }

    /// The commands with the record's time.
    pub(crate) fn stamped(&self) -> impl Iterator<Item = (u64, u64, Stamped)> {
        let stamp =
            |entry: &Entry| (entry.origin, entry.id, Stamped { time: self.time, command: entry.command.clone() });
        self.entries.iter().map(stamp)
    }
}

/// Commands on their way to the node that appends. They are for one of its reigns: what another one had on its way is sent
/// again from its beginning, so that nothing overtakes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Which one.
    pub reign: u64,
    /// How far the node that submits them had applied the directory's changes.
    pub known: u64,
    /// In the order of their numbers.
    pub entries: Vec<Entry>,
}

impl Submission {
    /// As CBOR.
    pub fn encode(&self) -> Result<Vec<u8>, CoreError> {
        cbor4ii::serde::to_vec(Vec::new(), self).map_err(|_| CoreError::Encoding)
    }

    /// Reads one.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadRecord> {
        cbor4ii::serde::from_slice(bytes).map_err(|_| BadRecord::Damaged)
    }
}

/// What came of a record: for each entry its outcome; none if it was passed over.
pub type Applied = Vec<Option<Outcome>>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{Core, Location};
    use aside_protocol::request::{Answer, Done};
    use aside_protocol::{Hash, LogId};

    fn record(entries: &[(u64, u64)]) -> Record {
        let command = |id: u64| Command::CreateInvite { secret: Hash([id as u8; 32]), uses: 1, valid: 1_000 };
        let entries = entries.iter().map(|&(origin, id)| Entry { origin, id, command: command(id) }).collect();
        Record { version: VERSION, owner: "one".into(), reign: 3, time: Millis(5), check: false, entries }
    }

    fn core() -> Core {
        let mut core = Core::open(&Location::Memory).unwrap();
        let init = Stamped { time: Millis(1), command: Command::Init { log: LogId([1; 16]) } };
        core.apply(&[init], false).unwrap();
        core
    }

    fn counted(core: &mut Core, position: u64, entries: &[(u64, u64)]) -> Vec<bool> {
        let applied = core.apply_at(position, &record(entries)).unwrap().unwrap();
        applied.iter().map(Option::is_some).collect()
    }

    #[test]
    fn what_is_logged_twice_counts_once() {
        let mut core = core();
        assert_eq!(counted(&mut core, 1, &[(7, 1), (7, 2), (8, 1)]), [true, true, true]);
        assert_eq!(counted(&mut core, 2, &[(7, 2), (7, 4), (7, 3), (8, 2)]), [false, true, false, true]);
        let hash = core.state_hash().unwrap();
        assert_eq!(core.apply_at(2, &record(&[(7, 9)])).unwrap(), None, "a position is applied once");
        assert_eq!(core.state_hash().unwrap(), hash);
    }

    #[test]
    fn a_position_that_is_skipped_is_a_hole() {
        let mut core = core();
        assert!(matches!(core.apply_at(2, &record(&[])), Err(CoreError::Hole { applied: 0, position: 2 })));
        let applied = core.apply_at(1, &record(&[(7, 1)])).unwrap().unwrap();
        assert_eq!(applied[0].as_ref().unwrap().answer, Answer::Done(Done::default()));
    }

    #[test]
    fn records_of_other_versions_are_told_from_damaged_ones() {
        let good = record(&[(7, 1)]);
        assert_eq!(Record::decode(&good.encode().unwrap()), Ok(good.clone()));
        let newer = Record { version: VERSION + 1, ..good };
        assert_eq!(Record::decode(&newer.encode().unwrap()), Err(BadRecord::Newer(VERSION + 1)));
        assert_eq!(Record::decode(b"no record"), Err(BadRecord::Damaged));
    }
}

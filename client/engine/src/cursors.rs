//! From where the queue of each partition is read: what is stored here is compared with what the relay says at a login
//! (rule `GAP-4`).
//!
//! Positions count in a partition, so no two of different partitions are ever compared. A chat is in one partition: what
//! is stored of a chat under positions is always of one.

use crate::error::Result;
use crate::step::Step;
use aside_protocol::frame::LoginOk;
use aside_protocol::{Cursor, PartitionId, Pos};

/// The partition of accounts and devices, and all there is of a relay alone.
const DIRECTORY: PartitionId = PartitionId(0);

/// What the positions of a login say.
#[derive(Debug)]
pub(crate) struct Compared {
    /// From where each partition is read.
    pub cursors: Vec<Cursor>,
    /// The relay's log is another one, or one of its partitions ends before what is stored here.
    pub relay_behind: bool,
    /// The database here is an older copy: it has less of a partition than this device once acknowledged.
    pub restored: bool,
}

impl Step<'_> {
    /// Compares, and moves the cursors to where reading begins. One partition that shows something shows it of all: a
    /// database is copied as a whole, and a relay that lost some of its log is not trusted with the rest.
    pub(crate) fn compare_positions(&mut self, ok: &LoginOk) -> Result<Compared> {
        let known_log = self.profile()?.log;
        let mut found = Compared {
            cursors: Vec::with_capacity(ok.positions.len()),
            relay_behind: known_log.is_some_and(|log| log != ok.log),
            restored: false,
        };
        // As it was before this login, whatever becomes of it below.
        let directory = self.tx.cursor(DIRECTORY)?.unwrap_or(Pos(0));
        for position in &ok.positions {
            let own = match self.tx.cursor(position.partition)? {
                // The first login: a device's queue begins where the relay says.
                _ if known_log.is_none() => position.acked,
                Some(own) => own,
                // The relay was one partition and grew: each part went on from the positions of the whole.
                None => directory.min(position.head),
            };
            found.relay_behind |= known_log.is_some() && own > position.head;
            found.restored |= own < position.acked;
            found.cursors.push(Cursor { log: ok.log, partition: position.partition, pos: own });
        }
        if found.relay_behind {
            for (cursor, position) in found.cursors.iter_mut().zip(&ok.positions) {
                // What was acknowledged before the copy was made was processed here. What lies behind it may be new: an
                // older copy may have gone on before this device came back.
                cursor.pos = position.acked;
            }
        }
        self.move_cursors(&found.cursors, known_log.is_some_and(|log| log != ok.log))?;
        Ok(found)
    }

    /// A partition that the relay does not name keeps its cursor as long as the log is the same: should it be named again,
    /// it is not a new one. In another log it means nothing.
    fn move_cursors(&self, cursors: &[Cursor], other_log: bool) -> Result<()> {
        if other_log {
            self.tx.clear_cursors()?;
        }
        for cursor in cursors {
            if self.tx.cursor(cursor.partition)? != Some(cursor.pos) {
                self.tx.set_cursor(cursor.partition, cursor.pos)?;
            }
        }
        Ok(())
    }
}

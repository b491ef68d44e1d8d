//! The history of an old device for a new one of the same account (rules `HIS-*`): handed over in parts, each a blob under
//! a key of its own, and announced in the chat with oneself. How far both are stands in tables, so either may be killed.

mod export;
mod import;

pub use export::chats_lacking;

use crate::error::Result;
use crate::step::Step;
use aside_protocol::limits::{MAX_FRAME, MAX_TEXT};
use aside_store::transfers::{Direction, Purpose, Transfer};

/// Messages in a part, at most.
const PART_MESSAGES: u32 = 2_000;
/// A part is closed once its texts weigh this much; encoded it stays below what can be read in one piece.
const PART_BYTES: usize = MAX_FRAME - 2 * MAX_TEXT - PART_MESSAGES as usize * OVERHEAD;
/// What a message is reckoned with beside its text.
const OVERHEAD: usize = 256;
/// Parts on their way at a time: while some move, others are made or stored.
const ON_THEIR_WAY: u64 = 4;

impl Step<'_> {
    /// A history's blob moved, or cannot be.
    pub(crate) fn history_moved(&mut self, transfer: &Transfer, there: bool) -> Result<()> {
        match (transfer.purpose, transfer.direction, there) {
            (Purpose::History, Direction::Up, true) => self.export_moved(transfer),
            (Purpose::History, Direction::Up, false) => self.export_stuck(transfer),
            (Purpose::History, Direction::Down, true) => self.import_moved(transfer),
            (Purpose::History, Direction::Down, false) => self.import_stuck(transfer),
            _ => Ok(()),
        }
    }

    /// Those whom a history names and whom this device does not know.
    pub(crate) fn look_past_authors_up(&mut self) -> Result<()> {
        self.link.wanted.extend(self.tx.past_authors()?);
        Ok(())
    }
}

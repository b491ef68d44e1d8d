//! One command at work: the transaction, the effective time, the next position, and what will be delivered.
//!
//! Handlers check everything before they write anything, so that a refusal leaves no trace; `Core` asserts it.

use crate::By;
use crate::cache::{Cache, DeviceRow};
use crate::error::Stop;
use crate::layout::Part;
use crate::outcome::Delivery;
use aside_protocol::refusal::{Plain, TooLarge};
use aside_protocol::request::BlobRef;
use aside_protocol::{AccountId, DeviceId, Millis, Pos, Refusal};
use rusqlite::{Connection, OptionalExtension};

/// What a handler works with.
pub(crate) struct Step<'a> {
    pub(crate) db: &'a Connection,
    pub(crate) cache: &'a mut Cache,
    pub(crate) part: Part,
    /// Blobs that the directory has said are complete; they count as there.
    pub(crate) pointed: &'a [BlobRef],
    /// Effective time: never decreasing from command to command.
    pub(crate) now: Millis,
    /// Last position given.
    pub(crate) head: Pos,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) revoked: Vec<DeviceId>,
    pub(crate) more: bool,
}

impl Step<'_> {
    /// Takes the next position.
    pub(crate) fn take_pos(&mut self) -> Pos {
        self.head = self.head.next();
        self.head
    }

    /// The device that asks, if it is one of that account and not removed from it.
    pub(crate) fn asker(&mut self, by: &By) -> Result<DeviceRow, Stop> {
        match self.device(&by.device)? {
            Some(row) if row.account_id != by.account => Err(invalid()),
            Some(row) if row.revoked => Err(Refusal::Revoked(Plain {}).into()),
            Some(row) => Ok(row),
            None => Err(invalid()),
        }
    }

    /// A device by its id.
    pub(crate) fn device(&mut self, device: &DeviceId) -> rusqlite::Result<Option<DeviceRow>> {
        if let Some(row) = self.cache.device(device) {
            return Ok(Some(row));
        }
        let mut statement = self.db.prepare_cached(
            "SELECT d.id, d.account, a.account, d.revoked FROM devices d JOIN accounts a ON a.id = d.account
             WHERE d.device = ?",
        )?;
        let found = statement
            .query_row([device.0], |row| {
                Ok(DeviceRow {
                    id: row.get(0)?,
                    device: *device,
                    account: row.get(1)?,
                    account_id: AccountId(row.get(2)?),
                    revoked: row.get(3)?,
                })
            })
            .optional()?;
        if let Some(row) = found {
            self.cache.keep_device(row);
        }
        Ok(found)
    }
}

/// Refused: a signature, chain or shape does not hold.
pub(crate) fn invalid() -> Stop {
    Refusal::Invalid(Plain {}).into()
}

/// Refuses more than `limit` bytes or items.
pub(crate) fn within(size: usize, limit: usize) -> Result<(), Stop> {
    if size <= limit {
        return Ok(());
    }
    Err(Refusal::TooLarge(TooLarge { limit: limit as u64 }).into())
}

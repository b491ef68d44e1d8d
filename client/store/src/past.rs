//! Messages as they are handed from one own device to another: read in big pieces, stored where they stood (rules
//! `HIS-*`).

use crate::chats::{Chat, ChatRow};
use crate::messages::{Arrival, MessageRow, PENDING_PLACE};
use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::{AccountId, DeviceId, MessageId, Millis, Seq};
use rusqlite::params;

/// A text that has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRow {
    /// Its row.
    pub row: MessageRow,
    /// Its chat.
    pub chat: ChatRow,
    /// Who wrote it.
    pub account: AccountId,
    /// On which device.
    pub device: DeviceId,
    /// Its id there.
    pub id: MessageId,
    /// Its number in the log that first had it.
    pub seq: Seq,
    /// Its place.
    pub place: u64,
    /// The text.
    pub text: String,
    /// The author's clock.
    pub sent: Millis,
    /// The relay's clock.
    pub time: Millis,
}

/// Texts that have their place, since a time. What waits in the outbox is still to come to everybody.
macro_rules! past {
    () => {
        "FROM messages WHERE kind = 0 AND seq IS NOT NULL AND device IS NOT NULL AND message IS NOT NULL
           AND coalesce(relay_time, sent_at) >= ?1"
    };
}

impl Tx<'_> {
    /// How many messages there are since a time, and the row after the last one.
    pub fn count_past(&self, since: Millis) -> Result<(u64, MessageRow)> {
        let sql = concat!("SELECT count(*), coalesce(max(id), 0) + 1 ", past!());
        Ok(self.one(sql, params![since.0], |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or((0, 0)))
    }

    /// Messages since a time whose rows are below one, the newest first.
    pub fn past_before(&self, since: Millis, before: MessageRow, limit: u32) -> Result<Vec<PastRow>> {
        let sql = concat!(
            "SELECT id, chat, account, device, message, seq, place, text, sent_at, coalesce(relay_time, sent_at) ",
            past!(),
            " AND id < ?2 ORDER BY id DESC LIMIT ?3"
        );
        self.all(sql, params![since.0, before, limit], |row| {
            Ok(PastRow {
                row: row.get(0)?,
                chat: row.get(1)?,
                account: id(row, 2, AccountId::from_slice)?,
                device: id(row, 3, DeviceId::from_slice)?,
                id: id(row, 4, MessageId::from_slice)?,
                seq: Seq(row.get(5)?),
                place: row.get(6)?,
                text: row.get(7)?,
                sent: Millis(row.get(8)?),
                time: Millis(row.get(9)?),
            })
        })
    }

    /// Stores a message of the past unless it is here: it counts as shown. Says whether it was new.
    pub fn insert_past(&self, chat: ChatRow, arrival: &Arrival) -> Result<bool> {
        self.insert_received(chat, arrival, true)
    }

    /// Whether anything of a chat cannot be shown.
    pub fn has_gaps(&self, chat: ChatRow) -> Result<bool> {
        Ok(self.number("SELECT EXISTS (SELECT 1 FROM gaps WHERE chat = ?)", params![chat])? == 1)
    }

    /// Another own device counts the places of a chat from a log before this one's first: what is here moves behind it.
    pub fn raise_shift(&self, chat: &mut Chat, shift: u64) -> Result<()> {
        let by = shift.saturating_sub(chat.shift).min(PENDING_PLACE / 2);
        if by == 0 {
            return Ok(());
        }
        let (row, moved) = (chat.row, "UPDATE messages SET place = place + ? WHERE chat = ? AND place < ?");
        self.run(moved, params![by, row, PENDING_PLACE])?;
        // In two steps: a place is unique at every moment.
        self.run("UPDATE gaps SET first = -(first + ?1), last = last + ?1 WHERE chat = ?2", params![by, row])?;
        self.run("UPDATE gaps SET first = -first WHERE chat = ?", params![row])?;
        let marks = "UPDATE marks SET delivered = CASE delivered WHEN 0 THEN 0 ELSE delivered + ?1 END,
            read = CASE read WHEN 0 THEN 0 ELSE read + ?1 END WHERE chat = ?2";
        self.run(marks, params![by, row])?;
        chat.shift += by;
        if chat.read_place > 0 {
            chat.read_place += by;
        }
        self.save_chat(chat)
    }
}

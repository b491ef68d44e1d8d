//! Read marks of other own devices that came before what they are about (rule `SYN-3`): the chat may be in another
//! partition of the relay than the chat with oneself, and the one is not read in the order of the other.

use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::{ChatId, Millis, Seq};
use rusqlite::params;

/// A mark that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAhead {
    /// The chat, which this device may not know yet.
    pub chat: ChatId,
    /// Read up to here.
    pub seq: Seq,
    /// When it came.
    pub since: Millis,
}

impl Tx<'_> {
    /// Keeps a mark; the highest of a chat counts, from when the last one came.
    pub fn keep_read_ahead(&self, mark: &ReadAhead) -> Result<()> {
        let sql = "INSERT INTO reads_ahead (chat, seq, since) VALUES (?, ?, ?)
            ON CONFLICT (chat) DO UPDATE SET seq = max(seq, excluded.seq), since = excluded.since";
        self.run(sql, params![mark.chat.as_ref(), mark.seq.0, mark.since.0]).map(drop)
    }

    /// The marks that wait.
    pub fn reads_ahead(&self) -> Result<Vec<ReadAhead>> {
        self.all("SELECT chat, seq, since FROM reads_ahead ORDER BY chat", [], |row| {
            let chat = id(row, 0, ChatId::from_slice)?;
            Ok(ReadAhead { chat, seq: Seq(row.get(1)?), since: Millis(row.get(2)?) })
        })
    }

    /// A chat's mark waits no longer.
    pub fn drop_read_ahead(&self, chat: &ChatId) -> Result<()> {
        self.run("DELETE FROM reads_ahead WHERE chat = ?", params![chat.as_ref()]).map(drop)
    }

    /// None waits any longer: the log in which they count is over.
    pub fn drop_reads_ahead(&self) -> Result<()> {
        self.run("DELETE FROM reads_ahead", []).map(drop)
    }
}

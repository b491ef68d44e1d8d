//! Held envelopes: stored raw, bounded, until what they lack is here.

use crate::chats::ChatRow;
use crate::{Result, StoreError, Tx};
use aside_protocol::envelope::Envelope;
use aside_protocol::{Pos, codec};
use bytes::Bytes;
use rusqlite::params;

/// Most envelopes held for one chat; the window of a connection four times over.
pub const MAX_HELD: u64 = 1024;

impl Tx<'_> {
    /// Holds an envelope; says no when the chat holds too many.
    pub fn hold(&self, chat: ChatRow, envelope: &Envelope) -> Result<bool> {
        if self.number("SELECT count(*) FROM held WHERE chat = ?", params![chat])? >= MAX_HELD {
            return Ok(false);
        }
        let sql = "INSERT OR IGNORE INTO held (chat, pos, envelope) VALUES (?, ?, ?)";
        self.run(sql, params![chat, envelope.pos.0, &codec::encode(envelope)[..]])?;
        Ok(true)
    }

    /// The held envelopes of a chat, by position.
    pub fn held(&self, chat: ChatRow) -> Result<Vec<Envelope>> {
        self.all("SELECT envelope FROM held WHERE chat = ? ORDER BY pos", params![chat], |row| {
            let bytes: Vec<u8> = row.get(0)?;
            codec::decode(&Bytes::from(bytes)).map_err(|_| StoreError::Row("held envelope"))
        })
    }

    /// The held envelope of a chat that comes first.
    pub fn first_held(&self, chat: ChatRow) -> Result<Option<Envelope>> {
        self.one("SELECT envelope FROM held WHERE chat = ? ORDER BY pos LIMIT 1", params![chat], |row| {
            let bytes: Vec<u8> = row.get(0)?;
            codec::decode(&Bytes::from(bytes)).map_err(|_| StoreError::Row("held envelope"))
        })
    }

    /// Whether a chat holds the envelope at a position.
    pub fn is_held(&self, chat: ChatRow, pos: Pos) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM held WHERE chat = ? AND pos = ?)";
        Ok(self.number(sql, params![chat, pos.0])? == 1)
    }

    /// Whether a chat holds anything.
    pub fn holds(&self, chat: ChatRow) -> Result<bool> {
        Ok(self.number("SELECT EXISTS (SELECT 1 FROM held WHERE chat = ?)", params![chat])? == 1)
    }

    /// Chats that hold something.
    pub fn chats_holding(&self) -> Result<Vec<ChatRow>> {
        self.all("SELECT DISTINCT chat FROM held ORDER BY chat", [], |row| Ok(row.get(0)?))
    }

    /// The envelope is processed.
    pub fn release(&self, chat: ChatRow, pos: Pos) -> Result<()> {
        self.run("DELETE FROM held WHERE chat = ? AND pos = ?", params![chat, pos.0]).map(drop)
    }
}

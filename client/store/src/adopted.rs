//! Chats that a recovered device was told of and is not in yet. It knows their ids, not what they are.

use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::request::ChatOf;
use aside_protocol::{ChatId, Millis, Seq};
use rusqlite::params;

/// A chat that this device asks to be added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// Which.
    pub chat: ChatId,
    /// Its incarnation.
    pub incarnation: u64,
    /// How far it was when this device was told of it.
    pub last: Seq,
    /// When that was.
    pub since: Millis,
    /// When this device last asked; 0: never.
    pub asked: Millis,
    /// How often.
    pub tries: u64,
}

impl Tx<'_> {
    /// Remembers a chat to be added to, unless it is remembered already.
    pub fn adopt(&self, of: &ChatOf, now: Millis) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO adopted (chat, incarnation, last, since) VALUES (?, ?, ?, ?)";
        self.run(sql, params![of.chat.as_ref(), of.incarnation, of.last.0, now.0]).map(drop)
    }

    /// Chats that this device is still to be added to, without those it has heard of since.
    pub fn adopted(&self) -> Result<Vec<Adopted>> {
        self.run("DELETE FROM adopted WHERE chat IN (SELECT chat FROM chats WHERE state >= 2)", [])?;
        self.all("SELECT * FROM adopted ORDER BY chat", [], |row| {
            Ok(Adopted {
                chat: id(row, "chat", ChatId::from_slice)?,
                incarnation: row.get("incarnation")?,
                last: Seq(row.get("last")?),
                since: Millis(row.get("since")?),
                asked: Millis(row.get("asked")?),
                tries: row.get("tries")?,
            })
        })
    }

    /// This device asked, now.
    pub fn adopted_asked(&self, chat: &ChatId, now: Millis) -> Result<()> {
        let sql = "UPDATE adopted SET asked = ?, tries = tries + 1 WHERE chat = ?";
        self.run(sql, params![now.0, chat.as_ref()]).map(drop)
    }
}

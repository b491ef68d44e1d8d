//! Chats that may have lost something while this device was away: noted until the relay has said how far each is (rule
//! `GAP-5`), whatever becomes of the connection meanwhile.

use crate::chats::ChatRow;
use crate::{Result, Tx};
use rusqlite::params;

impl Tx<'_> {
    /// This device was away for long: every chat that was ever founded is unsure.
    pub fn note_absence(&self) -> Result<()> {
        self.run("INSERT OR IGNORE INTO unsure (chat) SELECT id FROM chats WHERE state <> 0", []).map(drop)
    }

    /// The chats that are unsure.
    pub fn unsure(&self) -> Result<Vec<ChatRow>> {
        self.all("SELECT chat FROM unsure ORDER BY chat", [], |row| Ok(row.get(0)?))
    }

    /// What a chat had missed is known.
    pub fn made_sure(&self, chat: ChatRow) -> Result<()> {
        self.run("DELETE FROM unsure WHERE chat = ?", params![chat]).map(drop)
    }
}

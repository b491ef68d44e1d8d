//! What the own devices tell each other: items that are due, messages that carry them, and what others told (rules
//! `SYN-*`).

use crate::chats::ChatRow;
use crate::messages::MessageRow;
use crate::{Result, StoreError, Tx};
use aside_protocol::content::SyncItem;
use aside_protocol::{AccountId, Body, ChatId, DeviceId, MessageId, Millis, codec};
use bytes::Bytes;
use rusqlite::params;

/// The latest time that the database holds; other devices may name any.
const LATEST: u64 = i64::MAX as u64;

impl Tx<'_> {
    /// An item is to be told; a newer one about the same thing replaces it.
    pub fn sync_later(&self, subject: &[u8], item: &SyncItem, now: Millis) -> Result<()> {
        self.run(
            "INSERT INTO sync_due (kind, subject, item, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, subject) DO UPDATE SET item = ?3",
            params![item.code(), subject, &codec::encode(item)[..], now.0],
        )
        .map(drop)
    }

    /// Items to be told, if the first of them became due by then; they are taken off the list.
    pub fn take_syncs(&self, by: Millis, limit: u32) -> Result<Vec<SyncItem>> {
        let waits = self.number("SELECT EXISTS (SELECT 1 FROM sync_due WHERE since <= ?)", params![by.0])? == 1;
        if !waits {
            return Ok(Vec::new());
        }
        let sql = "DELETE FROM sync_due WHERE (kind, subject) IN
            (SELECT kind, subject FROM sync_due ORDER BY since, kind, subject LIMIT ?) RETURNING item";
        self.all(sql, params![limit], |row| {
            let item: Vec<u8> = row.get(0)?;
            codec::decode(&Bytes::from(item)).map_err(|_| StoreError::Row("sync item"))
        })
    }

    /// Stores a message of this device that carries items; histories do not show it.
    pub fn insert_sync(
        &self,
        chat: ChatRow,
        (author, device, message): (&AccountId, &DeviceId, &MessageId),
        body: &[u8],
        now: Millis,
    ) -> Result<MessageRow> {
        let row = self.insert_pending(chat, (author, device, message), "", now)?;
        self.run("UPDATE messages SET kind = 2 WHERE id = ?", params![row])?;
        self.run("INSERT INTO syncs (message, body) VALUES (?, ?)", params![row, body])?;
        Ok(row)
    }

    /// The items that a message carries, encoded; none if it is an ordinary one.
    pub fn sync_of(&self, message: MessageRow) -> Result<Option<Body>> {
        self.one("SELECT body FROM syncs WHERE message = ?", params![message], |row| {
            Ok(Body::from(row.get::<_, Vec<u8>>(0)?))
        })
    }

    /// Announces nothing of a chat until then; 0: announces again.
    pub fn mute(&self, chat: &ChatId, until: Millis) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO mutes (chat, until) VALUES (?, ?)";
        self.run(sql, params![chat.as_ref(), until.0.min(LATEST)]).map(drop)
    }

    /// Since when a text is being written in a chat on another own device; none if it is not.
    pub fn drafted_elsewhere(&self, chat: &ChatId) -> Result<Option<Millis>> {
        let since = self.number("SELECT since FROM drafted WHERE chat = ?", params![chat.as_ref()])?;
        Ok((since > 0).then_some(Millis(since)))
    }

    /// Remembers that; 0: it is not any more.
    pub fn set_drafted(&self, chat: &ChatId, since: Millis) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO drafted (chat, since) VALUES (?, ?)";
        self.run(sql, params![chat.as_ref(), since.0.min(LATEST)]).map(drop)
    }
}

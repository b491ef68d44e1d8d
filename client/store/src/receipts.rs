//! Watermarks of others, the keys that seal watermarks, and the last number of each sender.

use crate::chats::ChatRow;
use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::{AccountId, DeviceId, Millis, N, Seq};
use rusqlite::params;
use zeroize::Zeroizing;

impl Tx<'_> {
    /// Raises another device's watermarks, by place; they never fall.
    pub fn raise_marks(
        &self,
        chat: ChatRow,
        device: &DeviceId,
        account: &AccountId,
        delivered: u64,
        read: u64,
    ) -> Result<()> {
        self.run(
            "INSERT INTO marks (chat, device, account, delivered, read) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (chat, device) DO UPDATE SET delivered = max(delivered, ?4), read = max(read, ?5)",
            params![chat, device.as_ref(), account.as_ref(), delivered, read],
        )?;
        Ok(())
    }

    /// How far a device is known to have a chat; 0: nothing is known.
    pub fn delivered_to(&self, chat: ChatRow, device: &DeviceId) -> Result<u64> {
        self.number("SELECT delivered FROM marks WHERE chat = ? AND device = ?", params![chat, device.as_ref()])
    }

    /// The place of the last message of a chat before a time; 0: there is none.
    pub fn place_before(&self, chat: ChatRow, time: Millis) -> Result<u64> {
        let sql =
            "SELECT max(place) FROM messages WHERE chat = ? AND seq IS NOT NULL AND coalesce(relay_time, sent_at) < ?";
        self.number(sql, params![chat, time.0])
    }

    /// Keeps the secret from which the receipt keys of an epoch derive.
    pub fn save_receipt_key(&self, chat: ChatRow, base: Seq, secret: &[u8; 32], now: Millis) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO receipt_keys (chat, base, secret, created) VALUES (?, ?, ?, ?)",
            params![chat, base.0, secret.as_slice(), now.0],
        )?;
        Ok(())
    }

    /// The secret of the epoch that began at `base`.
    pub fn receipt_key(&self, chat: ChatRow, base: Seq) -> Result<Option<Zeroizing<[u8; 32]>>> {
        self.one("SELECT secret FROM receipt_keys WHERE chat = ? AND base = ?", params![chat, base.0], |row| {
            id(row, "secret", |bytes| bytes.try_into().ok().map(Zeroizing::new))
        })
    }

    /// The newest secret of an epoch that began at a place or before it, and where that was.
    pub fn newest_receipt_key(&self, chat: ChatRow, until: Seq) -> Result<Option<(Seq, Zeroizing<[u8; 32]>)>> {
        let sql = "SELECT base, secret FROM receipt_keys WHERE chat = ? AND base <= ? ORDER BY base DESC LIMIT 1";
        self.one(sql, params![chat, until.0], |row| {
            let secret = id(row, "secret", |bytes| bytes.try_into().ok().map(Zeroizing::new))?;
            Ok((Seq(row.get("base")?), secret))
        })
    }

    /// Deletes receipt keys made before a time, but never the newest of a chat.
    pub fn prune_receipt_keys(&self, before: Millis) -> Result<()> {
        self.run(
            "DELETE FROM receipt_keys WHERE created < ?
               AND base < (SELECT max(base) FROM receipt_keys n WHERE n.chat = receipt_keys.chat)",
            params![before.0],
        )
        .map(drop)
    }

    /// Forgets the receipt keys of a chat: the relay's numbers begin anew.
    pub fn clear_receipt_keys(&self, chat: ChatRow) -> Result<()> {
        self.run("DELETE FROM receipt_keys WHERE chat = ?", params![chat]).map(drop)
    }

    /// Remembers the newest epoch in which this device was in a group.
    pub fn note_epoch(&self, group: &[u8], epoch: u64) -> Result<()> {
        self.run(
            "INSERT INTO joined (group_id, epoch) VALUES (?1, ?2)
             ON CONFLICT (group_id) DO UPDATE SET epoch = max(epoch, ?2)",
            params![group, epoch],
        )
        .map(drop)
    }

    /// The newest epoch in which this device was in a group, if it ever was.
    pub fn epoch_of(&self, group: &[u8]) -> Result<Option<u64>> {
        self.one("SELECT epoch FROM joined WHERE group_id = ?", params![group], |row| Ok(row.get(0)?))
    }

    /// The last number seen of a device, if any was.
    pub fn sender_n(&self, chat: ChatRow, device: &DeviceId) -> Result<Option<N>> {
        self.one("SELECT n FROM senders WHERE chat = ? AND device = ?", params![chat, device.as_ref()], |row| {
            Ok(N(row.get(0)?))
        })
    }

    /// Remembers the last number seen of a device.
    pub fn set_sender_n(&self, chat: ChatRow, device: &DeviceId, n: N) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO senders (chat, device, n) VALUES (?, ?, ?)";
        self.run(sql, params![chat, device.as_ref(), n.0]).map(drop)
    }

    /// All devices begin anew in a chat.
    pub fn forget_senders(&self, chat: ChatRow) -> Result<()> {
        self.run("DELETE FROM senders WHERE chat = ?", params![chat]).map(drop)
    }
}

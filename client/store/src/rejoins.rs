//! Requests of other devices to be added again, until they are served.

use crate::chats::ChatRow;
use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::{AccountId, Body, DeviceId, Hash, Millis};
use rusqlite::params;

/// A request to serve.
#[derive(Debug, Clone)]
pub struct RejoinTask {
    /// The chat.
    pub chat: ChatRow,
    /// Who asks.
    pub device: DeviceId,
    /// Of which account, as the relay says.
    pub account: AccountId,
    /// The signed request.
    pub request: Body,
    /// Hash of its key package.
    pub package: Hash,
    /// Whether the device is back and only its missing messages are due.
    pub added: bool,
    /// Not before: others may serve it first.
    pub due: Millis,
}

/// The longest time a request is left to others, in milliseconds.
const MOST_PATIENCE_MS: u64 = 120_000;

impl RejoinTask {
    /// Whether it may be served now. One that is due far from now was kept by a clock that has been put right since.
    pub fn is_due(&self, now: Millis) -> bool {
        self.due <= now || self.due.0 > now.0.saturating_add(MOST_PATIENCE_MS)
    }
}

impl Tx<'_> {
    /// Keeps a request; a newer one of the same device replaces it.
    pub fn save_rejoin(&self, task: &RejoinTask) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO rejoins (chat, device, account, request, package, added, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                task.chat,
                task.device.as_ref(),
                task.account.as_ref(),
                &task.request[..],
                task.package.as_ref(),
                task.added,
                task.due.0
            ],
        )?;
        Ok(())
    }

    /// The requests of a chat.
    pub fn rejoins(&self, chat: ChatRow) -> Result<Vec<RejoinTask>> {
        self.all("SELECT * FROM rejoins WHERE chat = ? ORDER BY device", params![chat], |row| {
            Ok(RejoinTask {
                chat: row.get("chat")?,
                device: id(row, "device", DeviceId::from_slice)?,
                account: id(row, "account", AccountId::from_slice)?,
                request: Body::from(row.get::<_, Vec<u8>>("request")?),
                package: id(row, "package", Hash::from_slice)?,
                added: row.get("added")?,
                due: Millis(row.get("due")?),
            })
        })
    }

    /// Chats with requests.
    pub fn chats_with_rejoins(&self) -> Result<Vec<ChatRow>> {
        self.all("SELECT DISTINCT chat FROM rejoins ORDER BY chat", [], |row| Ok(row.get(0)?))
    }

    /// The device is in the group again.
    pub fn rejoin_added(&self, chat: ChatRow, device: &DeviceId) -> Result<()> {
        self.run("UPDATE rejoins SET added = 1 WHERE chat = ? AND device = ?", params![chat, device.as_ref()]).map(drop)
    }

    /// Every device that asked is in the group again: it was founded anew.
    pub fn rejoins_added(&self, chat: ChatRow) -> Result<()> {
        self.run("UPDATE rejoins SET added = 1 WHERE chat = ?", params![chat]).map(drop)
    }

    /// The request is served, or not worth serving; its key package is never used again.
    pub fn finish_rejoin(&self, task: &RejoinTask, now: Millis) -> Result<()> {
        self.run("DELETE FROM rejoins WHERE chat = ? AND device = ?", params![task.chat, task.device.as_ref()])?;
        self.run(
            "INSERT OR REPLACE INTO served_packages (package, at) VALUES (?, ?)",
            params![task.package.as_ref(), now.0],
        )
        .map(drop)
    }

    /// Whether a rejoin with this key package was served before.
    pub fn package_served(&self, package: &Hash) -> Result<bool> {
        let sql = "SELECT count(*) FROM served_packages WHERE package = ?";
        Ok(self.number(sql, params![package.as_ref()])? > 0)
    }
}

//! Links of channels: the secrets of those that were made or used here.

use crate::chats::ChatRow;
use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::channel::LinkSecret;
use rusqlite::params;

impl Tx<'_> {
    /// The secret in a channel's link, if it is known here.
    pub fn link_secret(&self, chat: ChatRow) -> Result<Option<LinkSecret>> {
        self.one("SELECT secret FROM links WHERE chat = ?", params![chat], |row| id(row, 0, LinkSecret::from_slice))
    }

    /// Keeps the secret of a channel's link, instead of an earlier one.
    pub fn save_link_secret(&self, chat: ChatRow, secret: &LinkSecret) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO links (chat, secret) VALUES (?, ?)";
        self.run(sql, params![chat, &secret.0[..]]).map(drop)
    }

    /// The link is not valid any more.
    pub fn drop_link_secret(&self, chat: ChatRow) -> Result<()> {
        self.run("DELETE FROM links WHERE chat = ?", params![chat]).map(drop)
    }
}

//! Drafts: what was begun and not sent, one text for each account.

use crate::{Result, Tx};
use aside_protocol::{AccountId, Millis};
use rusqlite::params;

impl Tx<'_> {
    /// What is being written to an account; empty if nothing.
    pub fn draft(&self, account: &AccountId) -> Result<String> {
        let text =
            self.one("SELECT text FROM drafts WHERE account = ?", params![account.as_ref()], |row| Ok(row.get(0)?));
        Ok(text?.unwrap_or_default())
    }

    /// Keeps what is being written; an empty text is forgotten.
    pub fn save_draft(&self, account: &AccountId, text: &str, now: Millis) -> Result<()> {
        if text.is_empty() {
            return self.run("DELETE FROM drafts WHERE account = ?", params![account.as_ref()]).map(drop);
        }
        let sql = "INSERT OR REPLACE INTO drafts (account, text, saved) VALUES (?, ?, ?)";
        self.run(sql, params![account.as_ref(), text, now.0]).map(drop)
    }

    /// Another account has the name now; what was written for the one before is for it, unless it has a draft already.
    pub fn move_draft(&self, from: &AccountId, to: &AccountId) -> Result<()> {
        self.run("UPDATE OR IGNORE drafts SET account = ? WHERE account = ?", params![to.as_ref(), from.as_ref()])?;
        self.run("DELETE FROM drafts WHERE account = ?", params![from.as_ref()]).map(drop)
    }
}

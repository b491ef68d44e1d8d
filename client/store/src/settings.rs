//! What the user chose for this profile: a few named texts. What they mean is known to who asks.

use crate::{Result, Tx};
use rusqlite::params;

impl Tx<'_> {
    /// A choice, if it was made.
    pub fn setting(&self, name: &str) -> Result<Option<String>> {
        self.one("SELECT value FROM settings WHERE name = ?", params![name], |row| Ok(row.get(0)?))
    }

    /// Makes a choice.
    pub fn set_setting(&self, name: &str, value: &str) -> Result<()> {
        self.run("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", params![name, value]).map(drop)
    }
}

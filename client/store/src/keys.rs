//! Key packages that were made and must still reach the relay.

use crate::rows::id;
use crate::{Result, Tx};
use aside_protocol::request::{KeyPackageUpload, Suite};
use aside_protocol::{Body, Hash};
use rusqlite::params;

impl Tx<'_> {
    /// Keeps a key package until the relay has it.
    pub fn save_key_upload(&self, upload: &KeyPackageUpload) -> Result<()> {
        self.run(
            "INSERT OR IGNORE INTO key_uploads (hash, suite, last_resort, body) VALUES (?, ?, ?, ?)",
            params![Hash::of(&upload.body).as_ref(), upload.suite.code(), upload.last_resort, &upload.body[..]],
        )?;
        Ok(())
    }

    /// Some key packages the relay does not have yet, each with its hash.
    pub fn key_uploads(&self, limit: usize) -> Result<Vec<(Hash, KeyPackageUpload)>> {
        self.all("SELECT * FROM key_uploads ORDER BY last_resort DESC, hash LIMIT ?", params![limit], |row| {
            let upload = KeyPackageUpload {
                suite: Suite::from_code(row.get("suite")?),
                last_resort: row.get("last_resort")?,
                body: Body::from(row.get::<_, Vec<u8>>("body")?),
            };
            Ok((id(row, "hash", Hash::from_slice)?, upload))
        })
    }

    /// The relay has these.
    pub fn key_uploads_done(&self, hashes: &[Hash]) -> Result<()> {
        hashes
            .iter()
            .try_for_each(|hash| self.run("DELETE FROM key_uploads WHERE hash = ?", params![hash.as_ref()]).map(drop))
    }
}

//! Blobs to be fetched and to be uploaded, until whoever wanted them has taken them over.
//!
//! How far one has come is not kept here: a file's length says it of what comes, the relay of what goes.

use crate::rows::id;
use crate::{Result, StoreError, Tx};
use aside_protocol::request::BlobRef;
use aside_protocol::{Hash, Millis};
use rusqlite::{Row, params};
use zeroize::Zeroizing;

/// Which way. The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Direction {
    /// From the relay.
    Down = 0,
    /// To the relay.
    Up = 1,
}

/// What a blob is for. The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// A commit or welcome that an envelope points to. Its bytes stay in the database, where the engine needs them.
    Handshake = 0,
    /// A part of a history, or the list of its parts.
    History = 1,
    /// A file of a message.
    Attachment = 2,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TransferState {
    /// To be done, or being done.
    Wanted = 0,
    /// All bytes are where they should be, and verified.
    Complete = 1,
    /// Given up; trying again is useless unless something changes.
    Failed = 2,
}

/// Where the bytes of an upload are.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Here; they are kept in the database.
    Bytes(&'a [u8]),
    /// In a file of that name in the profile's folder for blobs.
    File(&'a str),
}

/// A blob on its way.
#[derive(Clone)]
pub struct Transfer {
    /// Which.
    pub blob: BlobRef,
    /// Which way.
    pub direction: Direction,
    /// What for.
    pub purpose: Purpose,
    /// The file with its bytes; none if they are in the database.
    pub file: Option<String>,
    /// Key under which what arrives is decrypted into the file (rule `ATT-1`).
    pub secret: Option<Zeroizing<[u8; 32]>>,
    /// How it stands.
    pub state: TransferState,
    /// Why it failed, or why it does not get on; for people.
    pub error: Option<String>,
    /// When it was wanted.
    pub since: Millis,
}

impl std::fmt::Debug for Transfer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transfer").field("blob", &self.blob).field("direction", &self.direction).finish_non_exhaustive()
    }
}

/// The columns that [`transfer`] reads: not the bytes, which may be many.
macro_rules! columns {
    () => {
        "blob, direction, size, purpose, file, secret, state, error, since"
    };
}

impl Tx<'_> {
    /// Wants a blob's bytes: a handshake's in the database, others in a file named after the blob. One that failed is
    /// tried again; otherwise repeating this changes nothing.
    pub fn want_download(&self, blob: &BlobRef, purpose: Purpose, now: Millis) -> Result<()> {
        let file = (purpose != Purpose::Handshake).then(|| blob.id.to_hex());
        self.want(blob, Direction::Down, purpose, file.as_deref(), None, None, now)
    }

    /// Wants a blob's bytes in the database, whatever they are for.
    pub fn want_bytes(&self, blob: &BlobRef, purpose: Purpose, now: Millis) -> Result<()> {
        self.want(blob, Direction::Down, purpose, None, None, None, now)
    }

    /// Wants the content of an encrypted file, decrypted into a file named after the blob.
    pub fn want_decrypted(&self, blob: &BlobRef, purpose: Purpose, secret: &[u8; 32], now: Millis) -> Result<()> {
        self.want(blob, Direction::Down, purpose, Some(&blob.id.to_hex()), Some(secret), None, now)
    }

    /// Wants a blob at the relay.
    pub fn want_upload(&self, blob: &BlobRef, purpose: Purpose, source: Source<'_>, now: Millis) -> Result<()> {
        let (file, bytes) = match source {
            Source::Bytes(bytes) => (None, Some(bytes)),
            Source::File(name) => (Some(name), None),
        };
        self.want(blob, Direction::Up, purpose, file, None, bytes, now)
    }

    #[allow(clippy::too_many_arguments)] // the columns of a row
    fn want(
        &self,
        blob: &BlobRef,
        direction: Direction,
        purpose: Purpose,
        file: Option<&str>,
        secret: Option<&[u8; 32]>,
        bytes: Option<&[u8]>,
        now: Millis,
    ) -> Result<()> {
        self.run(
            "INSERT INTO transfers (blob, direction, size, purpose, file, secret, since, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (blob, direction) DO UPDATE SET state = 0, error = NULL WHERE state = 2",
            params![
                blob.id.as_ref(),
                direction as u8,
                blob.size,
                purpose as u8,
                file,
                secret.map(|secret| secret.as_slice()),
                now.0,
                bytes
            ],
        )
        .map(drop)
    }

    /// One transfer.
    pub fn transfer(&self, blob: &Hash, direction: Direction) -> Result<Option<Transfer>> {
        let sql = concat!("SELECT ", columns!(), " FROM transfers WHERE blob = ? AND direction = ?");
        self.one(sql, params![blob.as_ref(), direction as u8], transfer)
    }

    /// Those still to be done, in the order they were wanted.
    pub fn wanted_transfers(&self, most: u32) -> Result<Vec<Transfer>> {
        let sql = concat!("SELECT ", columns!(), " FROM transfers WHERE state = 0 ORDER BY since, rowid LIMIT ?");
        self.all(sql, params![most], transfer)
    }

    /// Whether an upload is complete.
    pub fn upload_done(&self, blob: &Hash) -> Result<bool> {
        let state = self.transfer(blob, Direction::Up)?.map(|transfer| transfer.state);
        Ok(state == Some(TransferState::Complete))
    }

    /// The bytes of a transfer that has them in the database.
    pub fn transfer_bytes(&self, blob: &Hash, direction: Direction) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT bytes FROM transfers WHERE blob = ? AND direction = ?";
        Ok(self.one(sql, params![blob.as_ref(), direction as u8], |row| Ok(row.get(0)?))?.flatten())
    }

    /// All bytes are there and verified; `bytes` are they, if they belong into the database. `false`: nobody wants it.
    pub fn complete_transfer(&self, blob: &Hash, direction: Direction, bytes: Option<&[u8]>) -> Result<bool> {
        let sql = "UPDATE transfers SET state = 1, error = NULL, bytes = coalesce(?, bytes)
             WHERE blob = ? AND direction = ? AND state = 0";
        Ok(self.run(sql, params![bytes, blob.as_ref(), direction as u8])? > 0)
    }

    /// Given up, and why. `false`: nobody wants it.
    pub fn fail_transfer(&self, blob: &Hash, direction: Direction, error: &str) -> Result<bool> {
        let sql = "UPDATE transfers SET state = 2, error = ? WHERE blob = ? AND direction = ? AND state = 0";
        Ok(self.run(sql, params![error, blob.as_ref(), direction as u8])? > 0)
    }

    /// Why it does not get on; it is tried again.
    pub fn trouble_transfer(&self, blob: &Hash, direction: Direction, error: &str) -> Result<()> {
        let sql = "UPDATE transfers SET error = ?1 WHERE blob = ?2 AND direction = ?3 AND error IS NOT ?1";
        self.run(sql, params![error, blob.as_ref(), direction as u8]).map(drop)
    }

    /// Nobody wants it any more: it was taken over, or cancelled. Its file is for whoever wanted it to take or to delete.
    pub fn forget_transfer(&self, blob: &Hash, direction: Direction) -> Result<()> {
        let sql = "DELETE FROM transfers WHERE blob = ? AND direction = ?";
        self.run(sql, params![blob.as_ref(), direction as u8]).map(drop)
    }

    /// Names of all files that transfers have.
    pub fn transfer_files(&self) -> Result<Vec<String>> {
        self.all("SELECT file FROM transfers WHERE file IS NOT NULL", [], |row| Ok(row.get(0)?))
    }
}

fn transfer(row: &Row) -> Result<Transfer> {
    let secret = row.get::<_, Option<Vec<u8>>>("secret")?.map(Zeroizing::new);
    let secret = secret.map(|bytes| bytes.as_slice().try_into().map(Zeroizing::new)).transpose();
    Ok(Transfer {
        blob: BlobRef { id: id(row, "blob", Hash::from_slice)?, size: row.get("size")? },
        direction: match row.get("direction")? {
            0 => Direction::Down,
            1 => Direction::Up,
            _ => return Err(StoreError::Row("direction")),
        },
        purpose: match row.get("purpose")? {
            0 => Purpose::Handshake,
            1 => Purpose::History,
            2 => Purpose::Attachment,
            _ => return Err(StoreError::Row("purpose")),
        },
        file: row.get("file")?,
        secret: secret.map_err(|_| StoreError::Row("secret"))?,
        state: match row.get("state")? {
            0 => TransferState::Wanted,
            1 => TransferState::Complete,
            2 => TransferState::Failed,
            _ => return Err(StoreError::Row("state")),
        },
        error: row.get("error")?,
        since: Millis(row.get("since")?),
    })
}

#[cfg(test)]
mod tests;

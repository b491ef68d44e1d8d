//! Histories that this device was offered by an older one: the parts, and which of them are stored (rules `HIS-*`).

use crate::rows::id;
use crate::{Result, StoreError, Tx};
use aside_protocol::content::Chunk;
use aside_protocol::request::BlobRef;
use aside_protocol::{AccountId, Body, Hash, Millis, RequestId};
use rusqlite::{Row, params};

/// How an offered history stands. The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ImportState {
    /// The list of its parts is wanted.
    Listing = 0,
    /// Its parts are fetched and stored.
    Fetching = 1,
    /// Every part is stored, or missing at the relay.
    Done = 2,
    /// Its list cannot be had.
    Failed = 3,
}

/// A history that this device was offered.
#[derive(Debug, Clone)]
pub struct Import {
    /// The transfer's name.
    pub transfer: RequestId,
    /// How it stands.
    pub state: ImportState,
    /// The blob with the list.
    pub blob: Hash,
    /// Its key.
    pub key: Body,
    /// Messages altogether, as offered.
    pub messages: u64,
    /// When it was offered.
    pub begun: Millis,
    /// Why it was given up.
    pub error: Option<String>,
    /// Messages in parts that are stored.
    pub stored: u64,
    /// Messages in parts that the relay does not have, or that do not open.
    pub missing: u64,
}

/// A part that a blob is of.
#[derive(Debug, Clone)]
pub struct ImportPart {
    /// Which transfer.
    pub transfer: RequestId,
    /// Which part.
    pub number: u64,
    /// The blob and its key.
    pub chunk: Chunk,
}

/// How a part stands. The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PartState {
    /// Being fetched.
    Fetching = 1,
    /// Its messages are stored.
    Stored = 2,
    /// It cannot be had.
    Missing = 3,
}

const SELECT: &str = "SELECT i.transfer, i.state, i.blob, i.key, i.messages, i.begun, i.error,
    (SELECT sum(p.messages) FROM import_parts p WHERE p.transfer = i.transfer AND p.state = 2) AS stored,
    (SELECT sum(p.messages) FROM import_parts p WHERE p.transfer = i.transfer AND p.state = 3) AS missing
  FROM imports i";

impl Tx<'_> {
    /// A history was offered. `false`: it is known.
    pub fn begin_import(&self, transfer: &RequestId, manifest: &Chunk, now: Millis) -> Result<bool> {
        let begun = self.run(
            "INSERT INTO imports (transfer, state, blob, key, messages, begun) VALUES (?, 0, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            params![transfer.as_ref(), manifest.blob.id.as_ref(), &manifest.key[..], manifest.messages, now.0],
        )?;
        Ok(begun > 0)
    }

    /// Every history offered.
    pub fn imports(&self) -> Result<Vec<Import>> {
        self.all(&format!("{SELECT} ORDER BY i.begun, i.transfer"), [], import)
    }

    /// Those whose parts are fetched.
    pub fn open_imports(&self) -> Result<Vec<RequestId>> {
        let sql = "SELECT transfer FROM imports WHERE state = 1 ORDER BY begun, transfer";
        self.all(sql, [], |row| id(row, 0, RequestId::from_slice))
    }

    /// The history whose list a blob is.
    pub fn import_listed_by(&self, blob: &Hash) -> Result<Option<Import>> {
        self.one(&format!("{SELECT} WHERE i.blob = ? AND i.state = 0"), params![blob.as_ref()], import)
    }

    /// How a history stands now, and why it was given up, if so.
    pub fn set_import(&self, transfer: &RequestId, state: ImportState, error: Option<&str>) -> Result<()> {
        let sql = "UPDATE imports SET state = ?, error = ? WHERE transfer = ?";
        self.run(sql, params![state as u8, error, transfer.as_ref()]).map(drop)
    }

    /// Its parts, from the list.
    pub fn add_import_parts(&self, transfer: &RequestId, parts: &[Chunk]) -> Result<()> {
        (0u64..).zip(parts).try_for_each(|(number, part)| {
            self.run(
                "INSERT OR REPLACE INTO import_parts (transfer, number, blob, size, key, messages)
                 VALUES (?, ?, ?, ?, ?, ?)",
                params![transfer.as_ref(), number, part.blob.id.as_ref(), part.blob.size, &part.key[..], part.messages],
            )
            .map(drop)
        })
    }

    /// The next parts that nobody has asked for.
    pub fn parts_to_come(&self, transfer: &RequestId, limit: u64) -> Result<Vec<ImportPart>> {
        let sql = "SELECT transfer, number, blob, size, key, messages FROM import_parts
            WHERE transfer = ? AND state = 0 ORDER BY number LIMIT ?";
        self.all(sql, params![transfer.as_ref(), limit], part)
    }

    /// Parts being fetched.
    pub fn parts_being_fetched(&self, transfer: &RequestId) -> Result<u64> {
        let sql = "SELECT count(*) FROM import_parts WHERE transfer = ? AND state = 1";
        self.number(sql, params![transfer.as_ref()])
    }

    /// The part that a blob is, while it is fetched.
    pub fn part_of(&self, blob: &Hash) -> Result<Option<ImportPart>> {
        let sql = "SELECT transfer, number, blob, size, key, messages FROM import_parts WHERE blob = ? AND state = 1";
        self.one(sql, params![blob.as_ref()], part)
    }

    /// How a part stands now. What is dealt with needs no key any more.
    pub fn set_part(&self, part: &ImportPart, state: PartState) -> Result<()> {
        let sql = "UPDATE import_parts SET state = ?1, key = CASE WHEN ?1 > 1 THEN x'' ELSE key END
            WHERE transfer = ?2 AND number = ?3";
        self.run(sql, params![state as u8, part.transfer.as_ref(), part.number]).map(drop)
    }

    /// An account that a history names is to be looked up, unless it is known. `false`: it is.
    pub fn note_past_author(&self, account: &AccountId) -> Result<bool> {
        let sql = "INSERT INTO past_authors (account) SELECT ?1
            WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE account = ?1) ON CONFLICT DO NOTHING";
        Ok(self.run(sql, params![account.as_ref()])? > 0)
    }

    /// Accounts that histories name and that are still not known.
    pub fn past_authors(&self) -> Result<Vec<AccountId>> {
        self.run("DELETE FROM past_authors WHERE account IN (SELECT account FROM accounts)", [])?;
        self.all("SELECT account FROM past_authors", [], |row| id(row, 0, AccountId::from_slice))
    }
}

fn part(row: &Row) -> Result<ImportPart> {
    Ok(ImportPart {
        transfer: id(row, "transfer", RequestId::from_slice)?,
        number: row.get("number")?,
        chunk: Chunk {
            blob: BlobRef { id: id(row, "blob", Hash::from_slice)?, size: row.get("size")? },
            key: Body::from(row.get::<_, Vec<u8>>("key")?),
            messages: row.get("messages")?,
        },
    })
}

fn import(row: &Row) -> Result<Import> {
    Ok(Import {
        transfer: id(row, "transfer", RequestId::from_slice)?,
        state: match row.get("state")? {
            0 => ImportState::Listing,
            1 => ImportState::Fetching,
            2 => ImportState::Done,
            3 => ImportState::Failed,
            _ => return Err(StoreError::Row("import state")),
        },
        blob: id(row, "blob", Hash::from_slice)?,
        key: Body::from(row.get::<_, Vec<u8>>("key")?),
        messages: row.get("messages")?,
        begun: Millis(row.get("begun")?),
        error: row.get("error")?,
        stored: row.get::<_, Option<u64>>("stored")?.unwrap_or(0),
        missing: row.get::<_, Option<u64>>("missing")?.unwrap_or(0),
    })
}

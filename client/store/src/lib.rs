//! The only room with SQL on the client: schema, migrations, queries. Knows neither sockets nor MLS semantics.
//!
//! All work happens in a [`Tx`]: a transaction that is committed as a whole or leaves no trace.

pub mod accounts;
pub mod chats;
pub mod conversation;
pub mod devices;
pub mod drafts;
pub mod error;
pub mod exports;
pub mod files;
pub mod gaps;
pub mod history;
pub mod imports;
pub mod keys;
mod links;
pub mod members;
pub mod messages;
mod nodes;
mod open;
pub mod outbox;
pub mod past;
pub mod paths;
pub mod profile;
pub mod reads_ahead;
pub mod receipts;
pub mod rejoins;
mod rows;
pub mod settings;
pub mod summaries;
pub mod syncs;
pub mod tasks;
pub mod transfers;
mod unsure;
pub mod waiting;

pub use error::{Result, StoreError};
pub use files::{DbKey, ProfileFolder, ProfileLock};
pub use open::{Cbor, SCHEMA};

use openmls_sqlite_storage::SqliteStorageProvider;
use rusqlite::{Connection, TransactionBehavior};

/// Storage of the MLS library inside the current transaction.
pub type MlsStorage<'a> = SqliteStorageProvider<Cbor, &'a Connection>;

/// An open database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Where transfers keep their files; none for a database in memory.
    blobs: Option<std::path::PathBuf>,
    _lock: Option<ProfileLock>,
}

impl Store {
    /// Opens the existing profile of a folder and locks it.
    pub fn open(folder: &ProfileFolder) -> Result<Self> {
        if !folder.path().is_dir() {
            return Err(StoreError::Missing(folder.path().to_owned()));
        }
        let lock = folder.lock()?;
        let key = folder.key(None)?;
        Ok(Self {
            connection: open::open_file(&folder.database(), &key, false)?,
            blobs: Some(folder.blobs()),
            _lock: Some(lock),
        })
    }

    /// Opens the profile of a folder, making folder, key and database as needed, and locks it.
    pub fn create(folder: &ProfileFolder, fresh_key: [u8; files::KEY_LEN]) -> Result<Self> {
        folder.create()?;
        let lock = folder.lock()?;
        let key = folder.key(Some(fresh_key))?;
        folder.prepare_database()?;
        Ok(Self {
            connection: open::open_file(&folder.database(), &key, true)?,
            blobs: Some(folder.blobs()),
            _lock: Some(lock),
        })
    }

    /// An empty database in memory.
    pub fn in_memory() -> Result<Self> {
        Ok(Self { connection: open::open_memory()?, blobs: None, _lock: None })
    }

    /// The folder for files of transfers; it may not exist yet.
    pub fn blobs(&self) -> Option<&std::path::Path> {
        self.blobs.as_deref()
    }

    /// A copy in memory of what is committed, for simulations.
    pub fn copy(&self) -> Result<Self> {
        Ok(Self { connection: open::copy_to_memory(&self.connection)?, blobs: None, _lock: None })
    }

    /// Runs `work` in one transaction: committed if it succeeds, undone if it fails.
    pub fn transact<T, E: From<StoreError>>(&mut self, work: impl FnOnce(&Tx) -> Result<T, E>) -> Result<T, E> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| E::from(StoreError::from(e)))?;
        let value = work(&Tx { connection: &transaction })?;
        transaction.commit().map_err(|e| E::from(StoreError::from(e)))?;
        Ok(value)
    }

    /// Runs `work` on a consistent view; what it writes is undone.
    pub fn read<T, E: From<StoreError>>(&mut self, work: impl FnOnce(&Tx) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.connection.transaction().map_err(|e| E::from(StoreError::from(e)))?;
        work(&Tx { connection: &transaction })
    }

    /// Moves the write-ahead log into the database, so that a copy of the one file is whole.
    pub fn checkpoint(&mut self) -> Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

/// A running transaction. Queries are grouped by entity in the modules of this crate.
#[derive(Debug)]
pub struct Tx<'a> {
    connection: &'a Connection,
}

impl<'a> Tx<'a> {
    /// Storage for the MLS library that takes part in this transaction.
    pub fn mls(&self) -> MlsStorage<'a> {
        SqliteStorageProvider::new(self.connection)
    }

    /// Runs `work` so that, if it fails, only its own writes are undone.
    pub fn attempt<T, E: From<StoreError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let sql = |text: &str| self.connection.execute_batch(text).map_err(|e| E::from(StoreError::from(e)));
        sql("SAVEPOINT attempt")?;
        match work() {
            Ok(value) => sql("RELEASE attempt").map(|()| value),
            Err(error) => {
                sql("ROLLBACK TO attempt; RELEASE attempt")?;
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! Reading what is committed, through connections of its own. Nothing here writes.

pub mod accounts;
pub mod blobs;
pub mod catch_up;
pub mod changes;
pub mod chats;
pub mod membership;
mod rows;

pub use accounts::DeviceInfo;
pub use catch_up::{CatchUp, Page};

use crate::sql::pos;
use crate::{CoreError, Layout, part, schema};
use aside_protocol::{LogId, PartitionId, Pos};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::Path;

/// A read-only connection.
pub struct Reader {
    db: Connection,
    layout: Layout,
    partition: PartitionId,
}

impl Reader {
    /// Opens the database of a core that runs or ran.
    pub fn open(path: &Path) -> Result<Self, CoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.set_prepared_statement_cache_capacity(64);
        db.execute_batch("PRAGMA cache_size = -1024; PRAGMA busy_timeout = 5000;")?;
        schema::check(&db)?;
        let part::Part { layout, partition } = part::read(&db)?;
        Ok(Self { db, layout, partition })
    }

    /// Keeps at most so many KiB of the database's pages in memory.
    pub fn set_cache(&self, kib: u32) -> Result<(), CoreError> {
        Ok(self.db.pragma_update(None, "cache_size", -i64::from(kib))?)
    }

    /// Over which partitions the state is spread that this is part of.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Which partition the database is.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Copies one snapshot of the state into a file; how far a replicated log is applied in it.
    pub fn back_up(&self, path: &Path) -> Result<u64, CoreError> {
        let mut copy = Connection::open(path)?;
        let copied = Backup::new(&self.db, &mut copy)?.step(-1)?;
        if copied == StepResult::Done { Ok(View::new(&copy, self.partition).applied()?) } else { Err(CoreError::Busy) }
    }

    /// Runs `read` against one snapshot of the state.
    pub fn snapshot<T>(&self, read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>) -> Result<T, CoreError> {
        let transaction = Transaction::new_unchecked(&self.db, TransactionBehavior::Deferred)?;
        let value = read(&View::new(&transaction, self.partition))?;
        transaction.finish()?;
        Ok(value)
    }
}

/// The state as one connection sees it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub(crate) db: &'a Connection,
    partition: PartitionId,
}

impl<'a> View<'a> {
    pub(crate) fn new(db: &'a Connection, partition: PartitionId) -> Self {
        Self { db, partition }
    }

    /// Which partition the state is.
    pub fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Last position given.
    pub fn head(&self) -> rusqlite::Result<Pos> {
        self.db.prepare_cached("SELECT head FROM relay")?.query_row([], |row| pos(row, 0))
    }

    /// Envelopes held: chat-wide ones, and those addressed to some devices alone.
    pub fn held(&self) -> rusqlite::Result<(u64, u64)> {
        self.db
            .prepare_cached("SELECT (SELECT count(*) FROM log), (SELECT count(*) FROM addressed)")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Bytes of the pages in use.
    pub fn bytes(&self) -> rusqlite::Result<u64> {
        self.db
            .prepare_cached(
                "SELECT (c.page_count - f.freelist_count) * s.page_size
                 FROM pragma_page_count c, pragma_freelist_count f, pragma_page_size s",
            )?
            .query_row([], |row| row.get(0))
    }

    /// How far a replicated log is applied; 0 where there is none.
    pub fn applied(&self) -> rusqlite::Result<u64> {
        self.db
            .prepare_cached("SELECT applied FROM relay")?
            .query_row([], |row| row.get::<_, i64>(0))
            .map(crate::sql::uint)
    }

    /// The log's name, once `Init` was applied.
    pub fn log(&self) -> rusqlite::Result<Option<LogId>> {
        let log = self.db.prepare_cached("SELECT log FROM relay")?.query_row([], |row| row.get::<_, Option<_>>(0))?;
        Ok(log.map(LogId))
    }
}

//! The state machine itself: opens the database, applies batches, one transaction and at most one fsync each.

use crate::cache::Cache;
use crate::layout::{Layout, Part};
use crate::read::View;
use crate::record::{Applied, Record};
use crate::run::run;
use crate::sql::{int, millis, pos, uint};
use crate::{CoreError, Outcome, Stamped, part, schema};
use aside_protocol::{Hash, Millis, PartitionId, Pos};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the database lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file; its WAL lies beside it.
    File(PathBuf),
    /// Memory; gone with the core. For tests and replays.
    Memory,
}

/// The relay's state. One per database: it is the only writer.
pub struct Core {
    pub(crate) db: Connection,
    pub(crate) cache: Cache,
    pub(crate) part: Part,
    durable: bool,
}

/// Prepared statements kept; there are about as many in the code.
const STATEMENTS: usize = 128;

impl Core {
    /// Opens or creates the database and brings its schema up to date.
    pub fn open(location: &Location) -> Result<Self, CoreError> {
        let mut db = match location {
            Location::File(path) => Connection::open(path)?,
            Location::Memory => Connection::open_in_memory()?,
        };
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        // A page of cache is 4 KiB; negative numbers are KiB.
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
             PRAGMA journal_size_limit = 16777216; PRAGMA busy_timeout = 5000;",
        )
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => CoreError::NotOurs,
            _ => error.into(),
        })?;
        schema::migrate(&mut db)?;
        let part = part::read(&db)?;
        Ok(Self { db, cache: Cache::default(), part, durable: true })
    }

    /// Which partition the state is; 0 of a relay alone.
    pub fn partition(&self) -> PartitionId {
        self.part.partition
    }

    /// Over which partitions the state is spread that this is part of.
    pub fn layout(&self) -> Layout {
        self.part.layout
    }

    /// Applies a batch in one transaction. With `durable` it is on disk when this returns; without, when a later
    /// durable batch is.
    ///
    /// On an error nothing of the batch has happened, and it may be tried again.
    pub fn apply(&mut self, batch: &[Stamped], durable: bool) -> Result<Vec<Outcome>, CoreError> {
        self.set_durable(durable)?;
        let result = self.apply_once(batch);
        if result.is_err() {
            self.cache.clear();
        }
        Ok(result?)
    }

    /// Applies what a replicated log has at a position, in one transaction with that position; `None` if that was done
    /// before. Not synced: after a loss of power the log is read again from where the database is.
    pub fn apply_at(&mut self, position: u64, record: &Record) -> Result<Option<Applied>, CoreError> {
        let applied = self.view().applied()?;
        if position <= applied {
            return Ok(None);
        }
        if position != applied + 1 {
            return Err(CoreError::Hole { applied, position });
        }
        self.set_durable(false)?;
        let result = self.apply_logged(position, record);
        if result.is_err() {
            self.cache.clear();
        }
        Ok(Some(result?))
    }

    /// Takes this state out of the replicated log that it followed, so that another one may begin with it.
    pub fn leave_log(&mut self) -> Result<(), CoreError> {
        self.set_durable(true)?;
        self.cache.clear();
        let transaction = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        transaction.execute_batch("UPDATE relay SET applied = 0; DELETE FROM origins;")?;
        if self.partition() != Layout::DIRECTORY {
            // The directory may have been an older one, and numbers differently from there on.
            transaction.execute_batch("UPDATE relay SET learned = 0; UPDATE device_lists SET change = NULL;")?;
        }
        Ok(transaction.commit()?)
    }

    fn apply_logged(&mut self, position: u64, record: &Record) -> rusqlite::Result<Applied> {
        let transaction = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        let (time, mut head) = clock(&transaction)?;
        let time = time.max(record.time);
        let mut origins = Origins::default();
        let mut outcomes = Vec::with_capacity(record.entries.len());
        for (origin, id, stamped) in record.stamped() {
            outcomes.push(match origins.counts(&transaction, origin, id)? {
                true => Some(run(&transaction, &mut self.cache, self.part, time, &mut head, &stamped.command)?),
                false => None,
            });
        }
        origins.save(&transaction, time)?;
        set_clock(&transaction, time, head)?;
        transaction.prepare_cached("UPDATE relay SET applied = ?")?.execute([int(position)])?;
        transaction.commit()?;
        Ok(outcomes)
    }

    pub(crate) fn set_durable(&mut self, durable: bool) -> rusqlite::Result<()> {
        if self.durable != durable {
            self.db.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
            self.durable = durable;
        }
        Ok(())
    }

    fn apply_once(&mut self, batch: &[Stamped]) -> rusqlite::Result<Vec<Outcome>> {
        let transaction = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        let (mut time, mut head) = clock(&transaction)?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for stamped in batch {
            time = time.max(stamped.time);
            let outcome = run(&transaction, &mut self.cache, self.part, time, &mut head, &stamped.command)?;
            outcomes.push(outcome);
        }
        set_clock(&transaction, time, head)?;
        transaction.commit()?;
        Ok(outcomes)
    }

    /// What is committed, read through the writer's own connection.
    pub fn view(&self) -> View<'_> {
        View::new(&self.db, self.part.partition)
    }

    /// A copy of what is committed, in memory: another relay that goes on from here, for simulations.
    pub fn copy(&self) -> Result<Self, CoreError> {
        let mut copy = Self::open(&Location::Memory)?;
        Backup::new(&self.db, &mut copy.db)?.step(-1)?;
        copy.part = self.part;
        Ok(copy)
    }

    /// SHA-256 over every row of every table: equal for equal states.
    pub fn state_hash(&self) -> Result<Hash, CoreError> {
        Ok(crate::state_hash::of(&self.db)?)
    }

    /// Moves the WAL into the database file, for an orderly end.
    pub fn checkpoint(&self) -> Result<(), CoreError> {
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Keeps at most so many KiB of the database's pages in memory.
    pub fn set_cache(&self, kib: u32) -> Result<(), CoreError> {
        Ok(self.db.pragma_update(None, "cache_size", -i64::from(kib))?)
    }

    /// Bounds the database file to so many pages of 4 KiB; past that, batches fail as on a full disk. Not below its
    /// present size. `None` lifts the bound.
    pub fn limit_pages(&self, pages: Option<u32>) -> Result<(), CoreError> {
        let pages = pages.unwrap_or(u32::MAX - 1);
        self.db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }
}

/// How far each node's own numbers are, while a record is applied.
#[derive(Default)]
struct Origins(BTreeMap<u64, u64>);

impl Origins {
    /// Whether an entry counts, which its number then does not do again.
    fn counts(&mut self, db: &Connection, origin: u64, id: u64) -> rusqlite::Result<bool> {
        let last = match self.0.get(&origin) {
            Some(last) => *last,
            None => {
                let mut statement = db.prepare_cached("SELECT last FROM origins WHERE origin = ?")?;
                uint(statement.query_row([int(origin)], |row| row.get(0)).optional()?.unwrap_or(0))
            }
        };
        self.0.insert(origin, last.max(id));
        Ok(id > last)
    }

    fn save(&self, db: &Connection, time: Millis) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached("INSERT OR REPLACE INTO origins VALUES (?, ?, ?)")?;
        self.0
            .iter()
            .try_for_each(|(origin, last)| statement.execute([int(*origin), int(*last), int(time.0)]).map(drop))
    }
}

fn clock(db: &Connection) -> rusqlite::Result<(Millis, Pos)> {
    db.prepare_cached("SELECT time, head FROM relay")?.query_row([], |row| Ok((millis(row, 0)?, pos(row, 1)?)))
}

fn set_clock(db: &Connection, time: Millis, head: Pos) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE relay SET time = ?, head = ?")?.execute([int(time.0), int(head.0)]).map(drop)
}

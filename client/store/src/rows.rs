//! Small helpers between rows and types. Nothing outside this crate uses them.

use crate::error::{Result, StoreError};
use crate::{Tx, error};
use rusqlite::{OptionalExtension, Params, Row, RowIndex};

/// Reads a column of exactly the right number of bytes.
pub(crate) fn id<T>(row: &Row, column: impl RowIndex, make: impl FnOnce(&[u8]) -> Option<T>) -> Result<T> {
    let bytes: Vec<u8> = row.get(column)?;
    make(&bytes).ok_or(StoreError::Row("id"))
}

/// Reads such a column that may be null.
pub(crate) fn maybe_id<T>(row: &Row, column: &str, make: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>> {
    let bytes: Option<Vec<u8>> = row.get(column)?;
    bytes.map(|bytes| make(&bytes).ok_or(StoreError::Row("id"))).transpose()
}

impl Tx<'_> {
    /// Runs a statement; returns how many rows it changed.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row, if any.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row) -> error::Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row(params, |row| Ok(read(row))).optional()?.transpose()
    }

    /// All rows.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row) -> error::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// One number.
    pub(crate) fn number(&self, sql: &str, params: impl Params) -> Result<u64> {
        Ok(self.one(sql, params, |row| Ok(row.get::<_, Option<u64>>(0)?))?.flatten().unwrap_or(0))
    }

    pub(crate) fn last_row(&self) -> i64 {
        self.connection.last_insert_rowid()
    }
}

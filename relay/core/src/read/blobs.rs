//! Which blobs may be given out, and whose objects are to be deleted.

use super::View;
use crate::sql::{hash, int, uint};
use aside_protocol::Hash;
use rusqlite::OptionalExtension;

impl View<'_> {
    /// The size of a blob that is complete.
    pub fn blob(&self, id: &Hash) -> rusqlite::Result<Option<u64>> {
        self.db
            .prepare_cached("SELECT size FROM blobs WHERE hash = ? AND dropped = 0")?
            .query_row([id.0], |row| row.get(0).map(uint))
            .optional()
    }

    /// Complete blobs, in the order of ids after one.
    pub fn complete_blobs(&self, after: &Hash, most: u64) -> rusqlite::Result<Vec<Hash>> {
        self.db
            .prepare_cached("SELECT hash FROM blobs WHERE dropped = 0 AND hash > ?1 ORDER BY hash LIMIT ?2")?
            .query_map(rusqlite::params![after.0, int(most)], |row| hash(row, 0))?
            .collect()
    }

    /// Blobs of which nothing may stay in the store, in the order of ids after one; not those being uploaded again.
    pub fn dropped_blobs(&self, after: &Hash, most: u64) -> rusqlite::Result<Vec<Hash>> {
        self.db
            .prepare_cached(
                "SELECT hash FROM blobs WHERE dropped = 1 AND hash > ?1 AND NOT EXISTS
                     (SELECT 1 FROM blob_reservations r WHERE r.hash = blobs.hash AND r.time IS NOT NULL)
                 ORDER BY hash LIMIT ?2",
            )?
            .query_map(rusqlite::params![after.0, int(most)], |row| hash(row, 0))?
            .collect()
    }

    /// Whether somebody may still upload that blob.
    pub fn blob_is_reserved(&self, id: &Hash) -> rusqlite::Result<bool> {
        self.db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM blob_reservations WHERE hash = ? AND time IS NOT NULL)")?
            .query_row([id.0], |row| row.get(0))
    }
}

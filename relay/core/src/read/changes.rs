//! The directory's changes, for the partitions that learn them.

use super::View;
use crate::command::Change;
use crate::layout::Layout;
use crate::sql::{int, uint};
use aside_protocol::{Body, PublicKey};

impl View<'_> {
    /// How many versions of device lists the directory has numbered; 0 in other partitions.
    pub fn changes(&self) -> rusqlite::Result<u64> {
        self.db.prepare_cached("SELECT changes FROM relay")?.query_row([], |row| row.get::<_, i64>(0)).map(uint)
    }

    /// Up to which change this partition has them. The directory has all that it numbered.
    pub fn learned(&self) -> rusqlite::Result<u64> {
        if self.partition == Layout::DIRECTORY {
            return self.changes();
        }
        self.db.prepare_cached("SELECT learned FROM relay")?.query_row([], |row| row.get::<_, i64>(0)).map(uint)
    }

    /// The changes after one, in their order: no more bytes of lists than `bytes`, unless the first alone has more.
    pub fn changes_after(&self, after: u64, bytes: usize) -> rusqlite::Result<Vec<Change>> {
        let mut statement = self.db.prepare_cached(
            "SELECT l.change, a.root, l.bytes FROM device_lists l JOIN accounts a ON a.id = l.account
             WHERE l.change > ? ORDER BY l.change",
        )?;
        let mut rows = statement.query([int(after)])?;
        let (mut changes, mut weight) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let list = Body::from(row.get::<_, Vec<u8>>(2)?);
            weight += list.len();
            if weight > bytes && !changes.is_empty() {
                break;
            }
            changes.push(Change { number: uint(row.get(0)?), root: PublicKey(row.get(1)?), list });
        }
        Ok(changes)
    }
}

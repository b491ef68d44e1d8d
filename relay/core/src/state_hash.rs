//! One hash over the whole state, so that two cores can be compared. Reads only.

use aside_protocol::Hash;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

/// SHA-256 over all rows of all tables, tables by name, rows by primary key.
pub(crate) fn of(db: &Connection) -> rusqlite::Result<Hash> {
    let mut hasher = Sha256::new();
    for table in names(db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", [])? {
        add_table(db, &table, &mut hasher)?;
    }
    Ok(Hash(hasher.finalize().into()))
}

fn add_table(db: &Connection, table: &str, hasher: &mut Sha256) -> rusqlite::Result<()> {
    let key = names(db, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [table])?;
    part(hasher, b't', table.as_bytes());
    let mut statement = db.prepare(&format!("SELECT * FROM {table} ORDER BY {}", key.join(", ")))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            match row.get_ref(column)? {
                ValueRef::Null => part(hasher, b'n', &[]),
                ValueRef::Integer(value) => part(hasher, b'i', &value.to_be_bytes()),
                ValueRef::Real(value) => part(hasher, b'r', &value.to_be_bytes()),
                ValueRef::Text(value) => part(hasher, b's', value),
                ValueRef::Blob(value) => part(hasher, b'b', value),
            }
        }
    }
    Ok(())
}

fn part(hasher: &mut Sha256, tag: u8, bytes: &[u8]) {
    hasher.update([tag]);
    hasher.update((bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

fn names<P: rusqlite::Params>(db: &Connection, query: &str, params: P) -> rusqlite::Result<Vec<String>> {
    db.prepare(query)?.query_map(params, |row| row.get(0))?.collect()
}

//! Opening the encrypted database and bringing its schema up to date.

use crate::error::{Result, StoreError};
use crate::files::DbKey;
use openmls_sqlite_storage::{Codec, SqliteStorageProvider};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Each entry takes the schema from one version to the next. Entries are appended, never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
    include_str!("schema_10.sql"),
    include_str!("schema_11.sql"),
];

/// The newest schema this program knows.
pub const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// How MLS state is stored: CBOR, since the MLS library needs a self-describing format.
#[derive(Debug, Default, Clone, Copy)]
pub struct Cbor;

/// MLS state that could not be written or read as CBOR.
#[derive(Debug, thiserror::Error)]
#[error("MLS state as CBOR: {0}")]
pub struct CborError(String);

impl Codec for Cbor {
    type Error = CborError;

    fn to_vec<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, CborError> {
        cbor4ii::serde::to_vec(Vec::new(), value).map_err(|e| CborError(e.to_string()))
    }

    fn from_slice<T: serde::de::DeserializeOwned>(slice: &[u8]) -> Result<T, CborError> {
        cbor4ii::serde::from_slice(slice).map_err(|e| CborError(e.to_string()))
    }
}

/// Opens the file with its key, creating it if `create`; leaves it migrated.
pub(crate) fn open_file(path: &Path, key: &DbKey, create: bool) -> Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    } else if !path.exists() {
        return Err(StoreError::Missing(path.parent().unwrap_or(path).to_owned()));
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "key", key.literal().as_str())?;
    // SQLCipher, set up by its first key, writes to standard error by itself; what it finds comes back as an error anyway.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    prepare(connection, path)
}

/// An in-memory database, for simulations and tests.
pub(crate) fn open_memory() -> Result<Connection> {
    prepare(Connection::open_in_memory()?, Path::new(":memory:"))
}

/// A copy in memory of an unencrypted database.
pub(crate) fn copy_to_memory(from: &Connection) -> Result<Connection> {
    let mut copy = Connection::open_in_memory()?;
    Backup::new(from, &mut copy)?.step(-1)?;
    prepare(copy, Path::new(":memory:"))
}

fn prepare(mut connection: Connection, path: &Path) -> Result<Connection> {
    // The first read is where a wrong key or a damaged file shows.
    let found: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(|e| damaged(e, path))?;
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: SCHEMA });
    }
    // A page that is not in the cache is decrypted and verified anew: 8 MB hold what some hundred busy chats write to.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 8388608; PRAGMA busy_timeout = 2000;
         PRAGMA cache_size = -8000;",
    )?;
    connection.set_prepared_statement_cache_capacity(128);
    migrate(&mut connection, found)?;
    Ok(connection)
}

fn damaged(error: rusqlite::Error, path: &Path) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error.sqlite_error_code() {
        Some(NotADatabase | DatabaseCorrupt) => StoreError::Corrupt(path.to_owned()),
        _ => error.into(),
    }
}

/// Our tables and those of the MLS library come up to date; ours last, so that `user_version` says both are.
fn migrate(connection: &mut Connection, found: u32) -> Result<()> {
    if found == SCHEMA {
        return Ok(());
    }
    let mut mls = SqliteStorageProvider::<Cbor, &mut Connection>::new(connection);
    mls.run_migrations().map_err(|e| migration_error(Box::new(e)))?;
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    Ok(transaction.commit()?)
}

/// The database error behind a failed migration, so that a full disk is called one.
fn migration_error(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(inner) = cause {
        if let Some(rusqlite::Error::SqliteFailure(failure, text)) = inner.downcast_ref() {
            return rusqlite::Error::SqliteFailure(*failure, text.clone()).into();
        }
        cause = inner.source();
    }
    StoreError::Sql(rusqlite::Error::ToSqlConversionFailure(error))
}

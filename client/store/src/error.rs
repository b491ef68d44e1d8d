//! What can go wrong with the store; all of it is the environment's fault or a bug, none the peer's.

use std::path::PathBuf;

/// An error of the store, worded for people.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database here.
    #[error("there is no profile in {0}; make one with: aside register <invite> --name <name>")]
    Missing(PathBuf),
    /// A newer version of the program wrote it.
    #[error(
        "the history in {path} was written by a newer aside (schema {found}, this one knows {known}); update aside"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// Not readable with its key.
    #[error(
        "the history in {0} is damaged, or db.key beside it is not its key; restore both from the same backup, \
         or move the folder away and register again"
    )]
    Corrupt(PathBuf),
    /// Some of it cannot be read.
    #[error(
        "a part of the history is damaged; restore the profile's folder from a backup, or move it away and register again"
    )]
    Damaged,
    /// The disk is full.
    #[error("the disk is full; free some space and try again, nothing was lost")]
    DiskFull,
    /// Another process has it.
    #[error("another aside process (pid {pid}) is using the profile in {folder}; close it, or pick another with -P")]
    Locked {
        /// The profile's folder.
        folder: PathBuf,
        /// Who holds it; 0 if it did not say.
        pid: u32,
    },
    /// A file or folder.
    #[error("cannot use {path}: {why}; check its permissions, or set ASIDE_HOME to a folder you may write to")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The MLS library's part of the database.
    #[error("the history database failed: {0}")]
    Mls(String),
    /// Any other database error.
    #[error("the history database failed: {0}{code}", code = code(.0))]
    Sql(rusqlite::Error),
    /// A row holds what no version of this program writes.
    #[error("the history database holds a malformed {0}; please report this")]
    Row(&'static str),
}

impl StoreError {
    /// Whether a value, not the database, is at fault: it would fail again however often it is tried.
    pub fn is_bad_value(&self) -> bool {
        matches!(self, Self::Row(_) | Self::Sql(rusqlite::Error::ToSqlConversionFailure(_)))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, NotADatabase, SystemIoFailure};
        match error.sqlite_error_code() {
            // A write that fails for lack of space may come as an I/O error, when it hits the WAL or its index.
            Some(DiskFull) => Self::DiskFull,
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged,
            Some(SystemIoFailure) if is_write(&error) => Self::DiskFull,
            _ => Self::Sql(error),
        }
    }
}

/// SQLite's own number of an error, which says more than its text.
fn code(error: &rusqlite::Error) -> String {
    error.sqlite_error().map_or_else(String::new, |failure| format!(" (SQLite error {})", failure.extended_code))
}

/// Whether an I/O error of SQLite came from writing, truncating or syncing.
fn is_write(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => matches!(
            failure.extended_code,
            ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_FSYNC
                | ffi::SQLITE_IOERR_TRUNCATE
                | ffi::SQLITE_IOERR_SHMOPEN
                | ffi::SQLITE_IOERR_SHMSIZE
                | ffi::SQLITE_IOERR_SHMMAP
        ),
        _ => false,
    }
}

/// Result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

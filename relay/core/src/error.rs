//! Why the core could not do its work: never the fault of whoever sent a command (those get a refusal).

use aside_protocol::Refusal;

/// The database failed. Nothing of the batch was applied.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// SQLite failed: a full disk, an I/O error, a damaged file.
    #[error("the relay's database failed: {0}")]
    Storage(#[from] rusqlite::Error),
    /// A newer relay wrote the database.
    #[error(
        "the database has schema {found}, this relay knows schemas up to {known}; install the newer relay that wrote it"
    )]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest schema this code knows.
        known: i64,
    },
    /// A replicated log was not followed in its order: a bug, or a log that was cut off before this node had all of it.
    #[error("the log goes on at {position}, and this node has it up to {applied}")]
    Hole {
        /// The last position applied.
        applied: u64,
        /// What was to come next.
        position: u64,
    },
    /// There is no database of such a partition here.
    #[error("the databases in the data folder are not all of one cluster's partitions; restore those that are missing")]
    NoPartition,
    /// A state that is a cluster's already was to become a partition of another, or there is no such partition.
    #[error("the database belongs to a cluster already; only a relay's that is alone, or a new one, can be spread")]
    Parted,
    /// A thread or randomness that the system does not give.
    #[error("the system gives no thread or no random numbers: {0}")]
    Thread(String),
    /// A copy could not be made while others write.
    #[error("the database was busy")]
    Busy,
    /// A command cannot be written down.
    #[error("a command cannot be encoded")]
    Encoding,
    /// The file is not a relay's database.
    #[error("the file is not a database of aside-relay; name another data folder")]
    NotOurs,
}

impl CoreError {
    /// Whether the disk, or the quota on it, is full: space may come back.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Storage(rusqlite::Error::SqliteFailure(e, _)) if e.code == rusqlite::ErrorCode::DiskFull)
    }
}

/// Why one command stops: refused (it alone), or the storage failed (the whole batch).
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Refusal),
    Storage(rusqlite::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error)
    }
}

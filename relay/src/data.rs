//! The data folder: where things lie in it, and the lock that keeps it to one relay at a time.

use aside_protocol::PartitionId;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Cannot be made or written.
    #[error("the data folder {0} cannot be used: {1}; name another with --data or correct its permissions")]
    Unusable(PathBuf, io::Error),
    /// Another relay runs on it.
    #[error("another relay is using the data folder {0}; stop it first, or name another folder with --data")]
    InUse(PathBuf),
}

/// A data folder that this process alone uses while the value lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder if need be (0700) and locks it.
    pub fn lock(path: &Path) -> Result<Self, DataError> {
        let unusable = |error| DataError::Unusable(path.to_owned(), error);
        private_folder(path).map_err(unusable)?;
        let lock = private(path.join("lock"), false).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The database of a relay alone, and of the directory. SQLite gives its companions the same permissions.
    pub fn database(&self) -> PathBuf {
        self.database_of(PartitionId(0))
    }

    /// The database of a partition.
    pub fn database_of(&self, partition: PartitionId) -> PathBuf {
        self.path.join(match partition {
            PartitionId(0) => "relay.db".to_owned(),
            PartitionId(number) => format!("relay-{number}.db"),
        })
    }

    /// What the database was before it became a cluster's.
    pub fn database_before(&self) -> PathBuf {
        before(&self.database())
    }

    /// The databases of so many partitions, in the order of their numbers.
    pub fn databases(&self, partitions: u16) -> Vec<PathBuf> {
        (0..partitions).map(|number| self.database_of(PartitionId(number))).collect()
    }

    /// The seed of the identity key.
    pub fn identity(&self) -> PathBuf {
        self.path.join("identity.key")
    }

    /// What invites say the relay's addresses are, kept for `invite` while no relay runs.
    pub fn addresses(&self) -> PathBuf {
        self.path.join("addresses.json")
    }

    /// Blobs, and what has arrived of others.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// The admin socket.
    pub fn admin(&self) -> PathBuf {
        admin_socket(&self.path)
    }

    /// Makes the database file private before SQLite opens it.
    pub fn prepare_database(&self, partition: PartitionId) -> Result<(), DataError> {
        let file = private(self.database_of(partition), false);
        file.map(drop).map_err(|error| DataError::Unusable(self.path.clone(), error))
    }
}

/// Where a database is kept that is not used any more, since a cluster has what was in it.
pub fn before(database: &Path) -> PathBuf {
    database.with_extension("db.before")
}

/// The admin socket of a data folder that another process may be using.
pub fn admin_socket(folder: &Path) -> PathBuf {
    folder.join("admin.sock")
}

/// Makes a folder that only its owner may look into (0700), unless it is there.
pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file that only its owner may read (0600), creating it; `fresh` insists that it was not there.
pub fn private(path: PathBuf, fresh: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).create_new(fresh).truncate(false).mode(0o600).open(path)
}

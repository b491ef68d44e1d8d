//! The states of all partitions at this node, as one thread reads them. Each is a database, and a snapshot, of its own.

use aside_protocol::{ChatId, PartitionId};
use aside_relay_core::{CoreError, Reader};
use std::iter::once;
use std::path::PathBuf;

/// A reader of each partition. A relay alone has one, the directory.
pub struct States {
    directory: Reader,
    others: Vec<Reader>,
}

impl States {
    /// Opens the partitions' databases, in the order of their numbers.
    pub fn open(databases: &[PathBuf]) -> Result<Self, CoreError> {
        let Some((directory, others)) = databases.split_first() else {
            return Err(rusqlite::Error::InvalidPath(PathBuf::new()).into());
        };
        let others = others.iter().map(|database| Reader::open(database)).collect::<Result<_, _>>()?;
        Ok(Self { directory: Reader::open(directory)?, others })
    }

    /// Where accounts, devices, key packages, invites and blobs are: partition 0.
    pub fn directory(&self) -> &Reader {
        &self.directory
    }

    /// One partition, if there is such a one.
    pub fn of(&self, partition: PartitionId) -> Option<&Reader> {
        match usize::from(partition.0).checked_sub(1) {
            None => Some(&self.directory),
            Some(other) => self.others.get(other),
        }
    }

    /// The partition that has all of a chat.
    pub fn of_chat(&self, chat: &ChatId) -> &Reader {
        self.of(self.directory.layout().of_chat(chat)).unwrap_or(&self.directory)
    }

    /// All partitions, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = (PartitionId, &Reader)> {
        (0..).map(PartitionId).zip(once(&self.directory).chain(&self.others))
    }
}

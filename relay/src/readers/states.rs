//! The states of all partitions at this node, as one thread reads them. Each is a database, and a snapshot, of its own.

use aside_protocol::{ChatId, PartitionId};
use aside_relay_core::{CoreError, Reader, View};
use std::iter::once;
use std::path::PathBuf;

/// What one partition's state can be read through.
pub trait Snapshot {
    /// Runs `read` against one snapshot of the state.
    fn snapshot<T>(&self, read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>) -> Result<T, CoreError>;
}

impl Snapshot for Reader {
    fn snapshot<T>(&self, read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>) -> Result<T, CoreError> {
        self.snapshot(read)
    }
}

/// Of a core in memory, which nobody writes meanwhile.
impl Snapshot for View<'_> {
    fn snapshot<T>(&self, read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>) -> Result<T, CoreError> {
        Ok(read(self)?)
    }
}

/// A reader of each partition. A relay alone has one, the directory.
pub struct States<S = Reader> {
    directory: S,
    others: Vec<S>,
}

impl States {
    /// Opens the partitions' databases, in the order of their numbers.
    pub fn open(databases: &[PathBuf]) -> Result<Self, CoreError> {
        let Some((directory, others)) = databases.split_first() else {
            return Err(rusqlite::Error::InvalidPath(PathBuf::new()).into());
        };
        let others = others.iter().map(|database| Reader::open(database)).collect::<Result<_, _>>()?;
        Ok(Self::new(Reader::open(directory)?, others))
    }
}

impl<S> States<S> {
    /// The directory's, and those of partition 1 and the ones after it.
    pub fn new(directory: S, others: Vec<S>) -> Self {
        Self { directory, others }
    }

    /// Where accounts, devices, key packages, invites and blobs are: partition 0.
    pub fn directory(&self) -> &S {
        &self.directory
    }

    /// One partition, if there is such a one.
    pub fn of(&self, partition: PartitionId) -> Option<&S> {
        match usize::from(partition.0).checked_sub(1) {
            None => Some(&self.directory),
            Some(other) => self.others.get(other),
        }
    }

    /// The partition that has all of a chat.
    pub fn of_chat(&self, chat: &ChatId) -> &S {
        self.of(partition_of(chat, 1 + self.others.len())).unwrap_or(&self.directory)
    }

    /// All partitions, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = (PartitionId, &S)> {
        (0..).map(PartitionId).zip(once(&self.directory).chain(&self.others))
    }
}

/// The partition of a chat among so many: ids are hashes, so chats are spread evenly.
fn partition_of(chat: &ChatId, count: usize) -> PartitionId {
    let [a, b, c, d, e, f, g, h, ..] = chat.0;
    let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % (count.max(1) as u64);
    PartitionId(u16::try_from(number).unwrap_or_default())
}

//! The states of all partitions at this node, as one thread reads them. Each is a database, and a snapshot, of its own.

use aside_protocol::{ChatId, PartitionId};
use aside_relay_core::{Core, CoreError, Layout, Reader, View};
use std::path::PathBuf;

/// KiB of pages that one thread keeps of all databases; and of one at most and at least.
const CACHE: u32 = 4 << 10;
const MOST_CACHE: u32 = 1 << 10;
const LEAST_CACHE: u32 = 128;

/// What can be read of a relay's state, partition by partition.
pub trait Views {
    /// Over which partitions the state is spread.
    fn layout(&self) -> Layout;

    /// Runs `read` against one snapshot of a partition.
    fn read<T>(
        &self,
        partition: PartitionId,
        read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, CoreError>;

    /// The same, of the directory: where accounts, devices, key packages, invites and blobs are.
    fn directory<T>(&self, read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>) -> Result<T, CoreError> {
        self.read(Layout::DIRECTORY, read)
    }

    /// The same, of the partition that has all of a chat.
    fn of_chat<T>(&self, chat: &ChatId, read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>) -> Result<T, CoreError> {
        self.read(self.layout().of_chat(chat), read)
    }
}

/// A reader of each partition, in the order of their numbers. A relay alone has one.
pub struct States {
    layout: Layout,
    readers: Vec<Reader>,
}

impl States {
    /// Opens the partitions' databases, in the order of their numbers.
    pub fn open(databases: &[PathBuf]) -> Result<Self, CoreError> {
        let readers: Vec<Reader> = databases.iter().map(|database| Reader::open(database)).collect::<Result<_, _>>()?;
        let layout = readers.first().map_or(Layout::ALONE, Reader::layout);
        let each = CACHE / u32::try_from(readers.len().max(1)).unwrap_or(u32::MAX);
        readers.iter().try_for_each(|reader| reader.set_cache(each.clamp(LEAST_CACHE, MOST_CACHE)))?;
        let fits = readers.iter().map(Reader::partition).eq(layout.all());
        if fits { Ok(Self { layout, readers }) } else { Err(CoreError::NoPartition) }
    }
}

impl Views for States {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn read<T>(
        &self,
        partition: PartitionId,
        read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, CoreError> {
        let reader = self.readers.get(usize::from(partition.0)).ok_or(CoreError::NoPartition)?;
        reader.snapshot(read)
    }
}

/// A relay's whole state through its writer's own connection.
impl Views for Core {
    fn layout(&self) -> Layout {
        Core::layout(self)
    }

    fn read<T>(
        &self,
        partition: PartitionId,
        read: impl FnOnce(&View<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, CoreError> {
        if partition == self.partition() { Ok(read(&self.view())?) } else { Err(CoreError::NoPartition) }
    }
}

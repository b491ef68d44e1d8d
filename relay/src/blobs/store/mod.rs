//! Complete blobs at rest: in a folder, or in the cluster's NATS servers.

mod folder;
mod nats;

use crate::cluster::Pieces;
use aside_protocol::Hash;
use bytes::Bytes;
use folder::Folder;
use futures_util::stream::BoxStream;
use nats::InNats;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::task::spawn_blocking;

/// Bytes of a blob as they come.
pub type BlobStream = BoxStream<'static, io::Result<Bytes>>;

/// Read at a time.
const PART: usize = crate::cluster::PIECE as usize;

/// The blobs.
pub(super) enum Store {
    Folder(Folder),
    Nats(InNats),
}

impl Store {
    /// In a folder that exists. What is written is on disk when it is there.
    pub(super) fn in_folder(folder: &Path) -> io::Result<Self> {
        Ok(Self::Folder(Folder::open(folder)?))
    }

    /// In the cluster's NATS servers.
    pub(super) fn in_nats(pieces: Arc<Pieces>) -> Self {
        Self::Nats(InNats { pieces })
    }

    /// Copies a file into the store, where it is whole once [`Written::finish`] was called.
    pub(super) async fn write(&self, id: &Hash, file: PathBuf) -> io::Result<Written> {
        let file = blocking(move || File::open(file)).await?;
        match self {
            Self::Folder(folder) => folder.write(id, file).await.map(Written::Folder),
            Self::Nats(nats) => nats.write(id, file).await.map(|()| Written::Whole),
        }
    }

    /// The bytes from `from` on, up to before `to`.
    pub(super) async fn read(&self, id: &Hash, from: u64, to: u64) -> io::Result<BlobStream> {
        match self {
            Self::Folder(folder) => folder.read(id, from, to).await,
            Self::Nats(nats) => Ok(nats.read(id, from, to)),
        }
    }

    /// Since when a blob is there, by the clock of whoever keeps it; none if it is not.
    pub(super) async fn since(&self, id: &Hash) -> io::Result<Option<SystemTime>> {
        match self {
            Self::Folder(folder) => folder.since(id).await,
            Self::Nats(nats) => nats.since(id).await,
        }
    }

    /// Deletes a blob; that it is not there is fine.
    pub(super) async fn delete(&self, id: &Hash) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.delete(id).await,
            Self::Nats(nats) => nats.delete(id).await,
        }
    }
}

/// A blob that was copied.
pub(super) enum Written {
    /// Nobody sees it yet. Dropped, it leaves nothing.
    Folder(folder::Written),
    /// It is there. Nobody asks for it before the core knows it.
    Whole,
}

impl Written {
    pub(super) async fn finish(self) -> io::Result<()> {
        match self {
            Self::Folder(written) => written.finish().await,
            Self::Whole => Ok(()),
        }
    }
}

/// The next bytes of a file and the file; none at its end.
async fn next_part(mut file: File) -> io::Result<Option<(File, Vec<u8>)>> {
    blocking(move || {
        let mut part = Vec::with_capacity(PART);
        (&mut file).take(PART as u64).read_to_end(&mut part)?;
        Ok((!part.is_empty()).then_some((file, part)))
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

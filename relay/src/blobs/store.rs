//! Complete blobs as objects. A folder today; anything that `object_store` speaks could stand here.

use aside_protocol::Hash;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Bytes of an object as they come.
pub type BlobStream = BoxStream<'static, io::Result<Bytes>>;

/// Written at a time.
const PART: usize = 1 << 20;

/// The objects.
pub(super) struct Store {
    objects: Arc<dyn ObjectStore>,
}

impl Store {
    /// In a folder that exists. What is written is on disk when it is there.
    pub(super) fn in_folder(folder: &Path) -> io::Result<Self> {
        let folder = LocalFileSystem::new_with_prefix(folder).map_err(failed)?.with_fsync(true);
        Ok(Self { objects: Arc::new(folder) })
    }

    /// Copies a file into the store, where it is seen once [`Written::finish`] was called.
    pub(super) async fn write(&self, id: &Hash, file: PathBuf) -> io::Result<Written> {
        let mut file = blocking(move || File::open(file)).await?;
        let mut upload = self.objects.put_multipart(&key(id)).await.map_err(failed)?;
        loop {
            let (read, part) = blocking(move || {
                let part = next_part(&mut file)?;
                Ok((file, part))
            })
            .await?;
            file = read;
            if part.is_empty() {
                return Ok(Written { upload });
            }
            upload.put_part(PutPayload::from(part)).await.map_err(failed)?;
        }
    }

    pub(super) async fn read(&self, id: &Hash, from: u64, to: u64) -> io::Result<BlobStream> {
        let options = GetOptions { range: Some(GetRange::Bounded(from..to)), ..GetOptions::default() };
        let got = self.objects.get_opts(&key(id), options).await.map_err(failed)?;
        Ok(got.into_stream().map_err(failed).boxed())
    }

    /// Deletes an object; that it is not there is fine.
    pub(super) async fn delete(&self, id: &Hash) -> io::Result<()> {
        match self.objects.delete(&key(id)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

/// An object that nobody sees yet. Dropped, it leaves nothing.
pub(super) struct Written {
    upload: Box<dyn MultipartUpload>,
}

impl Written {
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.upload.complete().await.map(drop).map_err(failed)
    }
}

/// Some hundreds of folders, so that none has too many entries.
fn key(id: &Hash) -> Key {
    let name = id.to_hex();
    Key::from_iter([name.get(..2).unwrap_or_default(), name.as_str()])
}

fn next_part(file: &mut File) -> io::Result<Vec<u8>> {
    let mut part = Vec::with_capacity(PART);
    file.take(PART as u64).read_to_end(&mut part)?;
    Ok(part)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// The system's own error if there is one beneath, so that a full disk can be told.
fn failed(error: Error) -> io::Error {
    if matches!(error, Error::NotFound { .. }) {
        return io::Error::new(io::ErrorKind::NotFound, error);
    }
    let mut beneath: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = beneath {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return io::Error::new(io.kind(), error.to_string());
        }
        beneath = cause.source();
    }
    io::Error::other(error)
}

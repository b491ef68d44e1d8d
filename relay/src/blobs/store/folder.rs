//! Blobs as objects in a folder; anything that `object_store` speaks could stand here.

use super::{BlobStream, next_part};
use aside_protocol::Hash;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// The objects.
pub(in crate::blobs) struct Folder {
    objects: Arc<dyn ObjectStore>,
}

impl Folder {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let folder = LocalFileSystem::new_with_prefix(folder).map_err(failed)?.with_fsync(true);
        Ok(Self { objects: Arc::new(folder) })
    }

    pub(super) async fn write(&self, id: &Hash, mut file: File) -> io::Result<Written> {
        let mut upload = self.objects.put_multipart(&key(id)).await.map_err(failed)?;
        while let Some((rest, part)) = next_part(file).await? {
            file = rest;
            upload.put_part(PutPayload::from(part)).await.map_err(failed)?;
        }
        Ok(Written { upload })
    }

    pub(super) async fn read(&self, id: &Hash, from: u64, to: u64) -> io::Result<BlobStream> {
        let options = GetOptions { range: Some(GetRange::Bounded(from..to)), ..GetOptions::default() };
        let got = self.objects.get_opts(&key(id), options).await.map_err(failed)?;
        Ok(got.into_stream().map_err(failed).boxed())
    }

    pub(super) async fn since(&self, id: &Hash) -> io::Result<Option<SystemTime>> {
        match self.objects.head(&key(id)).await {
            Ok(object) => Ok(Some(object.last_modified.into())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn delete(&self, id: &Hash) -> io::Result<()> {
        match self.objects.delete(&key(id)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

/// An object that nobody sees yet. Dropped, it leaves nothing.
pub(in crate::blobs) struct Written {
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

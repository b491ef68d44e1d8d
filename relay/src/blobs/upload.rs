//! One blob on its way in. The newest request has the file; an older one, whose connection may be dead, gives it up.

use super::partial::Partial;
use super::submit;
use crate::server::Shared;
use aside_protocol::request::BlobRef;
use aside_relay_core::Command;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::task::spawn_blocking;

/// Why an upload stops. What was appended before stays.
#[derive(Debug)]
pub enum UploadError {
    /// It does not begin where the relay's part ends; a newer request may have it.
    Elsewhere,
    /// The whole has another hash than its name says. It starts over.
    WrongHash,
    /// The disk.
    Failed(io::Error),
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The state of one upload; its file is opened when somebody goes on with it.
pub struct Upload {
    blob: BlobRef,
    path: PathBuf,
    partial: Arc<Mutex<Option<Partial>>>,
    /// How much is here, readable by everybody.
    pub(super) offset: AtomicU64,
    newest: watch::Sender<u64>,
}

/// The file, for one request at a time.
pub struct Turn {
    upload: Arc<Upload>,
    file: Option<OwnedMutexGuard<Option<Partial>>>,
    number: u64,
}

impl Upload {
    pub(super) fn new(blob: BlobRef, path: PathBuf) -> Self {
        let offset = AtomicU64::new(super::partial::length(&path));
        Self { blob, path, partial: Arc::default(), offset, newest: watch::Sender::new(0) }
    }

    /// Takes the file over, if `from` is where it ends.
    pub async fn take(self: Arc<Self>, from: u64) -> Result<Turn, UploadError> {
        let here = self.offset.load(Ordering::Acquire).min(self.blob.size.saturating_sub(1));
        if here != from {
            return Err(UploadError::Elsewhere);
        }
        let mut number = 0;
        self.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        let file = self.partial.clone().lock_owned().await;
        let mut turn = Turn { upload: self, file: Some(file), number };
        let there = turn.with(|partial| Ok(partial.length())).await?;
        if there == from { Ok(turn) } else { Err(UploadError::Elsewhere) }
    }
}

impl Turn {
    /// Waits until a newer request wants the file.
    pub async fn superseded(&self) {
        let number = self.number;
        let _ = self.upload.newest.subscribe().wait_for(|newest| *newest > number).await;
    }

    /// Appends some bytes.
    pub async fn append(&mut self, chunks: Vec<Bytes>) -> Result<(), UploadError> {
        self.with(move |partial| partial.append(&chunks)).await
    }

    /// Whether all bytes are here.
    pub fn is_whole(&self) -> bool {
        self.upload.offset.load(Ordering::Acquire) == self.upload.blob.size
    }

    /// How many bytes are here.
    pub fn offset(&self) -> u64 {
        self.upload.offset.load(Ordering::Acquire)
    }

    /// Verifies the whole and makes it an object. Goes on if whoever asked for it leaves.
    pub async fn finish(mut self, shared: Arc<Shared>) -> Result<(), UploadError> {
        let id = self.upload.blob.id;
        let right = self
            .with(move |partial| {
                let right = partial.hash() == id;
                if !right {
                    partial.restart()?;
                }
                Ok(right)
            })
            .await?;
        if !right {
            return Err(UploadError::WrongHash);
        }
        let published = tokio::spawn(async move {
            let published = publish(&shared, &self.upload).await;
            self.close();
            if published.is_ok() {
                shared.blobs.forget(&self.upload.blob);
            }
            published
        });
        Ok(published.await.map_err(io::Error::other)??)
    }

    /// The next one opens the file again.
    fn close(&mut self) {
        if let Some(file) = &mut self.file {
            **file = None;
        }
        self.upload.offset.store(super::partial::length(&self.upload.path), Ordering::Release);
    }

    /// Works on the file in a thread that may wait. If this is given up, the work goes on with the file held.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Partial) -> io::Result<T> + Send + 'static,
    ) -> Result<T, UploadError> {
        let Some(mut file) = self.file.take() else {
            return Err(UploadError::Elsewhere);
        };
        let upload = self.upload.clone();
        let worked = spawn_blocking(move || {
            let result = open(&mut file, &upload).and_then(work);
            let length = file.as_ref().map_or(0, Partial::length);
            upload.offset.store(length, Ordering::Release);
            (file, result)
        });
        let (file, result) = worked.await.map_err(io::Error::other)?;
        self.file = Some(file);
        Ok(result?)
    }
}

fn open<'a>(file: &'a mut Option<Partial>, upload: &Upload) -> io::Result<&'a mut Partial> {
    let partial = match file.take() {
        Some(partial) => partial,
        None => Partial::open(&upload.path, upload.blob.size)?,
    };
    Ok(file.insert(partial))
}

/// The object first, then the core's word for it, then the partial file goes: a crash between these leaves what the
/// next attempt, or retention, clears away.
async fn publish(shared: &Shared, upload: &Upload) -> io::Result<()> {
    let written = shared.blobs.store.write(&upload.blob.id, upload.path.clone()).await?;
    let _alone = shared.blobs.publishing.lock().await;
    written.finish().await?;
    submit(shared, Command::CompleteBlob(upload.blob)).await?;
    let path = upload.path.clone();
    if let Ok(Err(error)) = spawn_blocking(move || std::fs::remove_file(path)).await {
        tracing::warn!(%error, "an upload's file stays until the next start");
    }
    Ok(())
}

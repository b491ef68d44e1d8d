//! Blobs at rest: uploads on their way in, and the objects of those that are complete (rules `BLB-*`).
//!
//! What arrives is appended to a file of its own and hashed as it comes; a file outlives the relay, its hash does not
//! and is made again. Only a whole and verified blob becomes an object, and only then the core hears of it. `listen`
//! speaks HTTP over this.

mod leave;
mod partial;
mod store;
mod sweep;
mod upload;

pub use leave::Leave;
pub use store::BlobStream;
pub use sweep::sweep;
pub use upload::{Upload, UploadError};

use crate::cluster::Pieces;
use crate::data::private_folder;
use crate::readers::Views;
use crate::server::Shared;
use aside_protocol::request::{Answer, BlobRef, Uploading};
use aside_protocol::{Hash, Millis, Refusal};
use aside_relay_core::{By, Command};
use leave::Leaves;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use tokio::sync::{Mutex as AsyncMutex, Semaphore, oneshot};

/// Uploads under way at a time; each holds a part of [`upload`]'s size in memory.
const UPLOADS: usize = 32;
/// Downloads under way at a time; each holds an open file.
const DOWNLOADS: usize = 128;
/// Uploads whose hash is kept between requests; further ones are hashed again from their file.
const REMEMBERED: usize = 256;

/// Where blobs lie.
pub enum Place {
    /// In a folder of this relay alone.
    Own(PathBuf),
    /// In a folder that all nodes share; each has a place in it for what is on its way in.
    Shared {
        /// Which.
        folder: PathBuf,
        /// This node's name.
        node: String,
    },
    /// In the cluster's NATS servers.
    Nats {
        /// What is on its way in.
        folder: PathBuf,
        /// The others.
        pieces: Arc<Pieces>,
    },
}

/// All blobs of a relay, by their hash (rule `BLB-1`).
pub struct Blobs {
    partial: PathBuf,
    store: Store,
    /// Whether other nodes write and delete there too.
    shared: bool,
    leaves: Leaves,
    uploads: Mutex<HashMap<BlobRef, Arc<Upload>>>,
    /// Held while an object appears or disappears together with what the core knows of it.
    publishing: AsyncMutex<()>,
    /// Room for uploads.
    pub uploading: Arc<Semaphore>,
    /// Room for downloads.
    pub downloading: Arc<Semaphore>,
}

impl Blobs {
    /// Opens or makes what is needed. `key` proves leaves to upload.
    pub fn open(place: Place, key: &[u8; 32]) -> io::Result<Self> {
        let (partial, store, shared) = match place {
            Place::Own(folder) => {
                let store = in_folder(&folder)?;
                (folder.join("partial"), store, false)
            }
            Place::Shared { folder, node } => {
                let store = in_folder(&folder)?;
                (folder.join(format!("partial-{node}")), store, true)
            }
            Place::Nats { folder, pieces } => {
                private_folder(&folder)?;
                (folder.join("partial"), Store::in_nats(pieces), true)
            }
        };
        private_folder(&partial)?;
        Ok(Self {
            partial,
            store,
            shared,
            leaves: Leaves::new(key),
            uploads: Mutex::default(),
            publishing: AsyncMutex::default(),
            uploading: Arc::new(Semaphore::new(UPLOADS)),
            downloading: Arc::new(Semaphore::new(DOWNLOADS)),
        })
    }

    /// Completes the core's answer to a reservation: leave to upload, and how much is here already.
    pub fn admit(&self, answer: Answer, by: &By, blob: &BlobRef, now: Millis) -> Answer {
        match answer {
            Answer::Uploading(Uploading { offset, .. }) => {
                let offset = if offset == blob.size { offset } else { self.offset(blob) };
                Answer::Uploading(Uploading { token: self.leaves.grant(&by.account, blob, now), offset })
            }
            other => other,
        }
    }

    /// The leave behind a token, if it is good now and for that blob.
    pub fn leave(&self, token: &[u8], id: &Hash, now: Millis) -> Option<Leave> {
        self.leaves.check(token, id, now)
    }

    /// How much of an unfinished upload is here: never all of it, so that its last request is answered for the whole.
    pub fn offset(&self, blob: &BlobRef) -> u64 {
        let known = self.uploads().get(blob).map(|upload| upload.offset.load(Ordering::Acquire));
        let length = known.unwrap_or_else(|| partial::length(&self.partial_path(blob)));
        length.min(blob.size.saturating_sub(1))
    }

    /// The one place where a blob's bytes come together.
    pub fn upload(&self, blob: &BlobRef) -> Arc<Upload> {
        let mut uploads = self.uploads();
        if uploads.len() >= REMEMBERED {
            uploads.retain(|_, upload| Arc::strong_count(upload) > 1);
        }
        let path = self.partial_path(blob);
        uploads.entry(*blob).or_insert_with(|| Arc::new(Upload::new(*blob, path))).clone()
    }

    /// The bytes of a complete blob from `from` on, up to before `to`.
    ///
    /// # Errors
    /// When the object cannot be read; it is not there although the core knows it, or the disk fails.
    pub async fn read(&self, id: &Hash, from: u64, to: u64) -> io::Result<BlobStream> {
        self.store.read(id, from, to).await
    }

    fn forget(&self, blob: &BlobRef) {
        self.uploads().remove(blob);
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<BlobRef, Arc<Upload>>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn partial_path(&self, blob: &BlobRef) -> PathBuf {
        self.partial.join(format!("{}-{}", blob.id.to_hex(), blob.size))
    }
}

/// Copies the complete blobs of a relay alone into its cluster; how many.
///
/// # Errors
/// When a file cannot be read, or NATS does not take it. It can be done again.
pub async fn import(folder: &Path, pieces: Arc<Pieces>) -> io::Result<usize> {
    let (objects, store, mut count) = (folder.join("objects"), Store::in_nats(pieces), 0);
    let found = tokio::task::spawn_blocking(move || files(&objects)).await.map_err(io::Error::other)??;
    for (id, file) in found {
        store.write(&id, file).await?.finish().await?;
        count += 1;
    }
    Ok(count)
}

/// The objects in a folder of blobs: each lies in a folder that has the beginning of its name.
fn files(objects: &Path) -> io::Result<Vec<(Hash, PathBuf)>> {
    let mut found = Vec::new();
    let folders = match std::fs::read_dir(objects) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        folders => folders?,
    };
    for folder in folders {
        for file in std::fs::read_dir(folder?.path())? {
            let file = file?;
            found.extend(file.file_name().to_str().and_then(Hash::from_hex).map(|id| (id, file.path())));
        }
    }
    Ok(found)
}

fn in_folder(folder: &Path) -> io::Result<Store> {
    let objects = folder.join("objects");
    for folder in [folder, &objects] {
        private_folder(folder)?;
    }
    Store::in_folder(&objects)
}

/// Gives a command to the log and waits until it is durable.
async fn submit(shared: &Shared, command: Command) -> io::Result<()> {
    let (tell, told) = oneshot::channel();
    let reply = move |answer, _: &mut crate::mailbox::Wakes| drop(tell.send(answer));
    shared.log.submit(command, Box::new(reply));
    match told.await {
        Ok(Answer::Done(_)) => Ok(()),
        Ok(Answer::Refused(refusal)) => Err(refused(&refusal)),
        _ => Err(io::Error::other("the database did not answer")),
    }
}

fn refused(refusal: &Refusal) -> io::Error {
    let kind = match refusal {
        Refusal::Unavailable(_) => io::ErrorKind::StorageFull,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, format!("the database refused: {}", refusal.rule()))
}

/// Reads the directory, which knows of all blobs; `None` when that fails, which is logged.
pub async fn read<T: Send + 'static>(
    shared: &Shared,
    read: impl FnOnce(&aside_relay_core::View<'_>) -> rusqlite::Result<T> + Send + 'static,
) -> Option<T> {
    let (tell, told) = oneshot::channel();
    shared.readers.run(move |states| drop(tell.send(states.directory(read))));
    match told.await {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::error!(%error, "the database cannot be read");
            None
        }
        Err(_) => None,
    }
}

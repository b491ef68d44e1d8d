//! One transfer from its beginning, or from where it was, to its end.

use super::files::{Part, blocking, decrypt, part_name};
use super::{Progress, Transfers, Which};
use crate::agent::places::Places;
use crate::agent::worker::WorkerHandle;
use aside_crypto::attachments::{Damaged, FileKey};
use aside_engine::{EngineError, Job, Leave};
use aside_protocol::limits::MAX_BIG_HANDSHAKE;
use aside_protocol::request::BlobRef;
use aside_store::transfers::{Direction, Transfer};
use aside_transport::{BlobError, Https, Timing, Uploaded};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, iter, unfold};
use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::watch;

/// Written at a time.
const BATCH: usize = 256 << 10;
/// Sent at a time.
const PART: usize = 64 << 10;
/// How often a relay may say that it has another part before it is left alone for a while.
const TURNS: usize = 8;
/// A full disk does not empty itself in a moment.
const FULL: Duration = Duration::from_secs(30);

/// How a transfer ended.
#[derive(Debug)]
pub(in crate::agent) enum Ended {
    /// All is there; the bytes, if they belong into the database.
    Done(Option<Vec<u8>>),
    /// Trying again is useless.
    Failed(String),
    /// To be tried again, after so long at least.
    Later(String, Duration),
    /// Leave to upload has to be asked for again.
    Lapsed,
}

/// What every transfer uses.
pub(super) struct Moving {
    pub folder: PathBuf,
    /// Where this device is connected.
    pub at: watch::Receiver<Option<String>>,
    pub worker: WorkerHandle,
    pub progress: watch::Sender<Transfers>,
}

type Source = BoxStream<'static, io::Result<Bytes>>;

impl Moving {
    /// Moves one; `again` if it broke off before.
    pub async fn run(&self, job: Job, again: bool) -> Ended {
        let ended = match (job.transfer.direction, job.leave) {
            (Direction::Down, _) => self.download(&job.transfer).await,
            (Direction::Up, Some(leave)) => self.upload(&job.transfer, &leave, again).await,
            (Direction::Up, None) => Ok(Ended::Lapsed),
        };
        ended.unwrap_or_else(|error| error)
    }

    async fn download(&self, transfer: &Transfer) -> Result<Ended, Ended> {
        let blob = transfer.blob;
        if transfer.file.is_none() && blob.size > MAX_BIG_HANDSHAKE as u64 {
            return Err(Ended::Failed("it is longer than anything of its kind may be".into()));
        }
        // It gets its name only once it is whole and verified; only telling so was interrupted.
        if transfer.file.as_ref().is_some_and(|name| self.folder.join(name).exists()) {
            return Ok(Ended::Done(None));
        }
        let path = self.folder.join(part_name(&blob.id));
        let opened = path.clone();
        let part = disk(blocking(move || Part::open(&opened, blob.size)).await)?;
        let part = self.fetch(&blob, part).await?;
        if !disk(blocking(move || part.verify(&blob.id)).await)? {
            disk(tokio::fs::remove_file(&path).await)?;
            return Err(Ended::Later("what the relay sent is not what was asked for; it starts over".into(), FULL));
        }
        self.take_over(transfer, path).await
    }

    /// Appends what is lacking.
    async fn fetch(&self, blob: &BlobRef, mut part: Part) -> Result<Part, Ended> {
        let which = (blob.id, Direction::Down);
        self.moved(which, blob, part.length());
        if part.length() == blob.size {
            return Ok(part);
        }
        let mut download = self.https().await?.download(blob, part.length()).await.map_err(not_fetched)?;
        loop {
            let (mut batch, mut weight, mut end) = (Vec::new(), 0, Ok(false));
            while weight < BATCH && matches!(end, Ok(false)) {
                match download.next().await {
                    Ok(Some(bytes)) => {
                        weight += bytes.len();
                        batch.push(bytes);
                    }
                    Ok(None) => end = Ok(true),
                    Err(error) => end = Err(not_fetched(error)),
                }
            }
            // What came before it broke off is kept too.
            part = disk(
                blocking(move || {
                    part.append(&batch)?;
                    Ok(part)
                })
                .await,
            )?;
            self.moved(which, blob, part.length());
            if end? {
                return Ok(part);
            }
        }
    }

    /// Puts verified bytes where they belong.
    async fn take_over(&self, transfer: &Transfer, path: PathBuf) -> Result<Ended, Ended> {
        let Some(name) = &transfer.file else {
            return Ok(Ended::Done(Some(disk(tokio::fs::read(&path).await)?)));
        };
        let target = self.folder.join(name);
        match transfer.secret.as_deref() {
            None => disk(tokio::fs::rename(&path, &target).await)?,
            Some(secret) => {
                let key = FileKey::new(*secret);
                if !disk(blocking(move || decrypt(&path, &target, &key)).await)? {
                    return Err(Ended::Failed(Damaged.to_string()));
                }
            }
        }
        Ok(Ended::Done(None))
    }

    async fn upload(&self, transfer: &Transfer, leave: &Leave, again: bool) -> Result<Ended, Ended> {
        let blob = transfer.blob;
        let mut from = leave.offset;
        if again {
            match self.https().await?.offset(&blob, &leave.token).await.map_err(not_sent)? {
                Uploaded::Complete => return Ok(Ended::Done(None)),
                Uploaded::Part(offset) => from = offset,
            }
        }
        for _ in 0..TURNS {
            if from >= blob.size {
                return Ok(Ended::Done(None));
            }
            let source = self.source(transfer, from).await?;
            match self.https().await?.upload(&blob, &leave.token, from, source).await {
                Ok(Uploaded::Complete) => return Ok(Ended::Done(None)),
                Ok(Uploaded::Part(offset)) | Err(BlobError::Elsewhere(offset)) => from = offset,
                Err(error) => return Err(not_sent(error)),
            }
        }
        Err(Ended::Later("another device of yours may be uploading the same file".into(), Duration::ZERO))
    }

    /// The relay: first the node that this device is connected to, which said how much it has of an upload.
    async fn https(&self) -> Result<Https, Ended> {
        let look = self.worker.with(|engine| engine.read(Places::read));
        let places = look.await.map_err(|error| Ended::Later(error.to_string(), FULL))?;
        let here = self.at.borrow().clone();
        Ok(Https::new(places.at(here), Timing::default()))
    }

    /// The bytes from an offset on; tells how far they went.
    async fn source(&self, transfer: &Transfer, from: u64) -> Result<Source, Ended> {
        let bytes = match &transfer.file {
            Some(name) => disk(from_file(self.folder.join(name), from).await)?,
            None => self.database_from(&transfer.blob, from).await?,
        };
        let (progress, blob) = (self.progress.clone(), transfer.blob);
        let mut done = from;
        let told = bytes.inspect(move |part| {
            done += part.as_ref().map_or(0, |part| part.len() as u64);
            tell(&progress, (blob.id, Direction::Up), &blob, done);
        });
        Ok(told.boxed())
    }

    async fn database_from(&self, blob: &BlobRef, from: u64) -> Result<Source, Ended> {
        let id = blob.id;
        let look = self.worker.with(move |engine| engine.read(|tx| Ok(tx.transfer_bytes(&id, Direction::Up)?)));
        let bytes: Option<Vec<u8>> = look.await.map_err(|error: EngineError| Ended::Later(error.to_string(), FULL))?;
        let whole = Bytes::from(bytes.ok_or_else(|| Ended::Failed("its bytes are not here any more".into()))?);
        let mut rest = whole.slice(usize::try_from(from).unwrap_or(usize::MAX).min(whole.len())..);
        let mut parts = Vec::new();
        while !rest.is_empty() {
            parts.push(Ok(rest.split_to(PART.min(rest.len()))));
        }
        Ok(iter(parts).boxed())
    }

    fn moved(&self, which: Which, blob: &BlobRef, done: u64) {
        tell(&self.progress, which, blob, done);
    }
}

fn tell(progress: &watch::Sender<Transfers>, which: Which, blob: &BlobRef, done: u64) {
    progress.send_modify(|all| {
        all.insert(which, Progress { done, size: blob.size });
    });
}

async fn from_file(path: PathBuf, from: u64) -> io::Result<Source> {
    let mut file = File::open(path).await?;
    file.seek(SeekFrom::Start(from)).await?;
    let parts = unfold(file, |mut file| async move {
        let mut part = Vec::with_capacity(PART);
        match (&mut file).take(PART as u64).read_to_end(&mut part).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(Bytes::from(part)), file)),
            Err(error) => Some((Err(error), file)),
        }
    });
    Ok(parts.boxed())
}

/// A disk that fails now may not fail later; a file that is gone stays so.
fn disk<T>(result: io::Result<T>) -> Result<T, Ended> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Ended::Failed("its file is not there any more".into()),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Ended::Later("the disk is full; make room, and it goes on".into(), FULL)
        }
        _ => Ended::Later(format!("a file cannot be read or written: {error}"), FULL),
    })
}

fn not_fetched(error: BlobError) -> Ended {
    match error {
        BlobError::NotFound => Ended::Failed(error.to_string()),
        other => later(&other),
    }
}

fn not_sent(error: BlobError) -> Ended {
    match error {
        BlobError::NoLeave => Ended::Lapsed,
        other => later(&other),
    }
}

fn later(error: &BlobError) -> Ended {
    let pause = match error {
        BlobError::Busy(pause) => *pause,
        BlobError::Full | BlobError::WrongBytes => FULL,
        _ => Duration::ZERO,
    };
    Ended::Later(error.to_string(), pause)
}

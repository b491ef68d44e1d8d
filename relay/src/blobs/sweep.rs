//! Deleting what the core dropped: objects and parts of uploads. Then the core forgets them.

use super::{Blobs, read, submit};
use crate::server::Shared;
use aside_protocol::Hash;
use aside_relay_core::Command;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(60);
/// What nodes share is not deleted while it is younger: a node is never so far behind while it serves.
const YOUNG: Duration = Duration::from_secs(600);
/// Deleted before the next ones are read.
const PAGE: u64 = 100;

/// Clears away what a former life left, then deletes until the relay stops.
pub async fn sweep(shared: Arc<Shared>) {
    let mut stop = shared.stopping();
    let work = async {
        if let Err(error) = leftovers(&shared).await {
            tracing::warn!(%error, "old parts of uploads stay for now");
        }
        loop {
            // One that does not serve may be far behind: what it takes for dropped may be there anew.
            if shared.serves()
                && let Err(error) = dropped(&shared).await
            {
                tracing::error!(%error, "expired blobs cannot be deleted; trying again in a minute");
            }
            sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = work => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// Parts of uploads that nobody may go on with.
async fn leftovers(shared: &Shared) -> io::Result<()> {
    for (id, path) in partials(&shared.blobs).await? {
        let reserved = match id {
            Some(id) => read(shared, move |view| view.blob_is_reserved(&id)).await != Some(false),
            None => false,
        };
        if !reserved {
            remove(path).await?;
        }
    }
    Ok(())
}

async fn dropped(shared: &Shared) -> io::Result<()> {
    let mut after = Hash([0; 32]);
    loop {
        let page = read(shared, move |view| view.dropped_blobs(&after, PAGE)).await.unwrap_or_default();
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = *last;
        let partials = partials(&shared.blobs).await?;
        for id in page {
            let parts = partials.iter().filter(|(of, _)| *of == Some(id)).map(|(_, path)| path.clone());
            delete(shared, id, parts.collect()).await?;
        }
    }
}

/// Deletes all of one blob, unless it came again meanwhile.
async fn delete(shared: &Shared, id: Hash, parts: Vec<PathBuf>) -> io::Result<()> {
    let _alone = shared.blobs.publishing.lock().await;
    let wanted = read(shared, move |view| Ok(view.blob(&id)?.is_some() || view.blob_is_reserved(&id)?)).await;
    if wanted != Some(false) {
        return Ok(());
    }
    for part in parts {
        remove(part).await?;
    }
    if shared.blobs.shared && (is_young(&shared.blobs, &id).await? || !shared.serves()) {
        return Ok(());
    }
    shared.blobs.store.delete(&id).await?;
    tracing::debug!(?id, "an expired blob is deleted");
    submit(shared, Command::BlobGone { id }).await
}

/// Whether another node may have stored it just now, of which this one has not heard yet.
async fn is_young(blobs: &Blobs, id: &Hash) -> io::Result<bool> {
    let since = blobs.store.since(id).await?;
    Ok(since.is_some_and(|since| SystemTime::now().duration_since(since).map_or(true, |age| age < YOUNG)))
}

/// The files of unfinished uploads, and which blob each is of; `None` for what is no such file.
async fn partials(blobs: &Blobs) -> io::Result<Vec<(Option<Hash>, PathBuf)>> {
    let folder = blobs.partial.clone();
    let listed = spawn_blocking(move || {
        let files = std::fs::read_dir(folder)?.map(|entry| {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(|name| Hash::from_hex(name.split_once('-')?.0));
            Ok((id, entry.path()))
        });
        files.collect()
    });
    listed.await.map_err(io::Error::other)?
}

async fn remove(path: PathBuf) -> io::Result<()> {
    let removed = spawn_blocking(move || std::fs::remove_file(path)).await.map_err(io::Error::other)?;
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

//! Snapshots bound the logs: a copy of a partition's database lies in NATS, and what its log holds before it goes. A node that
//! was away for too long, or is new, begins with the copy.

use super::looking::BEHIND;
use super::nats::{Nats, NatsError, Stream};
use super::part::Part;
use super::status;
use crate::data::private;
use aside_protocol::{Hash, PartitionId};
use aside_relay_core::record::Record;
use aside_relay_core::{Command, Core, Layout, Location, Reader, Stamped};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, copy};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often the owner looks how long the log is.
const LOOK: Duration = Duration::from_secs(30);
/// A log of so many bytes, or records, is long, if it has [`SHARE`] of the state's bytes too.
const LONG: (u64, u64) = (128 << 20, 200_000);
/// A snapshot copies all of the state. So it comes the more rarely the larger that is, and costs twice what is written.
const SHARE: u64 = 2;

fn failed(error: impl std::fmt::Display) -> NatsError {
    NatsError::Failed(format!("a snapshot: {error}"))
}

/// Takes one whenever the log has become long and this node appends.
pub(super) async fn keep(part: Arc<Part>) {
    loop {
        sleep(LOOK).await;
        let appends = part.reached.borrow().owner.as_ref().is_some_and(|(owner, _)| *owner == part.node.name);
        let state = tokio::fs::metadata(&part.database).await.map_or(0, |file| file.len());
        if appends
            && part.log.info().await.is_ok_and(|info| is_long(info.state.bytes, info.state.messages, state))
            && let Err(why) = take(&part).await
        {
            tracing::warn!(%why, "no snapshot was taken; the log stays long");
        }
    }
}

/// Whether a log of so many bytes and records is worth a copy of a state of so many bytes.
fn is_long(bytes: u64, records: u64, state: u64) -> bool {
    (bytes > LONG.0 || records > LONG.1) && bytes > state / SHARE
}

/// Copies this node's database into NATS, and cuts the log off before it; up to which position. What a node that runs has
/// not applied yet stays, unless it is so far behind that it does not serve.
pub(super) async fn take(part: &Part) -> Result<u64, NatsError> {
    let _turn = part.node.snapshots.lock().await;
    let file = beside(&part.database, "snapshot");
    let position = copy_of(&part.database, &file).await?;
    put(&part.log, &file, position).await?;
    let nodes = status::nodes(&part.node.nats).await?;
    let applied = nodes.iter().filter_map(|node| node.applied.get(usize::from(part.id.0)).copied());
    let slowest = applied.filter(|applied| position.saturating_sub(*applied) < BEHIND).min();
    let cut = position.min(slowest.unwrap_or(position));
    part.log.cut_off(cut).await?;
    part.log.drop_snapshots_before(position).await?;
    tracing::info!(partition = part.id.0, position, cut, "a snapshot was taken");
    Ok(cut)
}

/// Makes a snapshot of a database that a log's first record is to be applied to; the database itself stays as it is. With a
/// layout, the database is a relay's that ran alone, and the snapshot is that of its part.
pub(super) async fn begin(
    log: &Stream,
    database: &Path,
    part: Option<Layout>,
    lost: &[Hash],
    first: &Record,
) -> Result<(), NatsError> {
    let file = beside(database, "snapshot");
    copy_of(database, &file).await?;
    let mut core = Core::open(&Location::File(file.clone())).map_err(failed)?;
    core.leave_log().map_err(failed)?;
    let lose = |id: &Hash| Stamped { time: first.time, command: Command::BlobLost { id: *id } };
    core.apply(&lost.iter().map(lose).collect::<Vec<_>>(), true).map_err(failed)?;
    if let Some(layout) = part {
        core.take_part(layout, log.partition()).map_err(failed)?;
    }
    core.apply_at(1, first).map_err(failed)?;
    core.checkpoint().map_err(failed)?;
    drop(core);
    put(log, &file, 1).await?;
    log.cut_off(1).await
}

/// Up to which position it is.
async fn copy_of(database: &Path, to: &Path) -> Result<u64, NatsError> {
    let (database, to) = (database.to_owned(), to.to_owned());
    let made = spawn_blocking(move || {
        remove(&to).map_err(failed)?;
        drop(private(to.clone(), true).map_err(failed)?);
        Reader::open(&database).and_then(|reader| reader.back_up(&to)).map_err(failed)
    });
    made.await.map_err(failed)?
}

/// Stores a file as the snapshot, and removes it.
async fn put(log: &Stream, file: &Path, position: u64) -> Result<(), NatsError> {
    let mut copied = File::open(file).await.map_err(failed)?;
    log.put_snapshot(position, &mut copied).await?;
    remove(file).map_err(failed)
}

/// Puts the snapshot in place of a database that nobody has open.
pub async fn fetch(nats: &Nats, partition: PartitionId, database: &Path) -> Result<(), NatsError> {
    let file = beside(database, "fetched");
    remove(&file).map_err(failed)?;
    let mut coming = nats.log(partition).snapshot().await?;
    let mut to = File::from_std(private(file.clone(), true).map_err(failed)?);
    copy(&mut coming, &mut to).await.map_err(failed)?;
    to.flush().await.map_err(failed)?;
    to.sync_all().await.map_err(failed)?;
    for companion in ["db-wal", "db-shm"] {
        remove(&beside(database, companion)).map_err(failed)?;
    }
    std::fs::rename(&file, database).map_err(failed)
}

fn beside(database: &Path, extension: &str) -> PathBuf {
    database.with_extension(extension)
}

fn remove(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_long_by_itself_and_beside_the_state() {
        let (most, records) = LONG;
        assert!(!is_long(most, records, 0));
        assert!(is_long(most + 1, 1, most));
        assert!(is_long(50 << 20, records + 1, 90 << 20));
        assert!(!is_long(most + 1, records + 1, 4 * most), "the state is much longer");
        assert!(is_long(2 * most + 1, records, 4 * most));
    }
}

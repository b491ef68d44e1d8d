//! What a partition learns of the directory: accounts and their device lists, in the directory's order, as commands of its own.
//! Reads the directory's database at this node.

use super::part::{Directory, Part};
use aside_relay_core::Command;
use aside_relay_core::command::Change;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a command waits until this node has of the directory what the node it came from had.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes of device lists of one record.
const MOST: usize = 256 << 10;

/// How far a partition has learned, by what this node has appended itself.
pub(super) struct Learning {
    directory: Option<Directory>,
    /// None: this node has not applied yet what stood in the log when it began to append.
    learned: Option<u64>,
    since: u64,
}

impl Learning {
    /// Of a partition to whose log this node appends from a position on.
    pub(super) fn new(part: &Part, since: u64) -> Self {
        Self { directory: part.directory.clone(), learned: None, since }
    }

    /// Whether the partition has not learned yet what this node knows of the directory.
    pub(super) fn is_due(&self) -> bool {
        let changes = self.directory.as_ref().map_or(0, |directory| directory.reached.borrow().changes);
        self.directory.is_some() && self.learned.is_none_or(|learned| learned < changes)
    }

    /// Whether it has learned everything up to a change; none if this node cannot tell yet.
    pub(super) async fn has(&mut self, part: &Part, known: u64) -> Option<bool> {
        if self.directory.is_none() || known == 0 {
            return Some(true);
        }
        Some(self.learned(part).await? >= known)
    }

    /// What is to be appended next so that it learns everything up to a change, and all else that this node knows; none if
    /// there is nothing or this node does not know it itself.
    pub(super) async fn next(&mut self, part: &Part, known: u64) -> Option<Command> {
        let learned = self.learned(part).await?;
        let directory = self.directory.as_mut()?;
        timeout(PATIENCE, directory.reached.wait_for(|reached| reached.changes >= known)).await.ok()?.ok()?;
        let reader = directory.reader.clone();
        let read = spawn_blocking(move || {
            let reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            reader.snapshot(|view| view.changes_after(learned, MOST))
        });
        let changes: Vec<Change> = match read.await {
            Ok(Ok(changes)) => changes,
            Ok(Err(error)) => {
                tracing::error!(%error, "the directory cannot be read");
                return None;
            }
            Err(_) => return None,
        };
        self.learned = Some(changes.last()?.number);
        Some(Command::Learn { changes })
    }

    async fn learned(&mut self, part: &Part) -> Option<u64> {
        if self.learned.is_none() {
            let mut reached = part.reached.clone();
            let reached =
                timeout(PATIENCE, reached.wait_for(|reached| reached.position >= self.since)).await.ok()?.ok()?;
            self.learned = Some(reached.learned);
        }
        self.learned
    }
}

//! Blobs from the engine's side (rules `BLB-*`): what it wants fetched and uploaded, leave for uploads, and what follows
//! once the bytes are where they should be. Moving them is the agent's.

use crate::Engine;
use crate::effect::Effect;
use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, BlobRef, Request, Upload};
use aside_protocol::{Body, Hash, Millis};
use aside_store::transfers::{Direction, Purpose, Source, Transfer};
use std::fmt;

/// Uploads for which leave is asked at a time; the agent moves fewer.
const LEAVES: u32 = 16;
/// The longest pause before leave is asked for again, in milliseconds.
const MOST_PATIENCE_MS: u64 = 60_000;
/// Transfers the agent is told of at a time.
const JOBS: u32 = 64;

/// Leave to upload one blob on the present connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Leave {
    /// Goes into the request.
    pub token: Body,
    /// How much the relay had when it gave it.
    pub offset: u64,
}

impl fmt::Debug for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leave(from {})", self.offset)
    }
}

/// One thing for the agent to move.
#[derive(Debug, Clone)]
pub struct Job {
    /// What.
    pub transfer: Transfer,
    /// For uploads.
    pub leave: Option<Leave>,
}

impl Engine {
    /// What can be moved now, in the order it was wanted: downloads, and uploads with leave.
    pub fn transfer_jobs(&mut self) -> Result<Vec<Job>> {
        let wanted: Vec<Transfer> = self.store.read(|tx| Ok::<_, crate::EngineError>(tx.wanted_transfers(JOBS)?))?;
        let job = |transfer: Transfer| {
            let leave = self.link.leaves.get(&transfer.blob.id).cloned();
            let movable = transfer.direction == Direction::Down || leave.is_some();
            movable.then_some(Job { transfer, leave })
        };
        Ok(wanted.into_iter().filter_map(job).collect())
    }
}

impl Step<'_> {
    /// Wants a blob's bytes; [`Step::blob_done`] follows once they are here.
    pub fn fetch_blob(&mut self, blob: &BlobRef, purpose: Purpose) -> Result<()> {
        self.tx.want_download(blob, purpose, self.now)?;
        self.transfers_changed();
        Ok(())
    }

    /// Wants a blob's bytes in the database; [`Step::blob_done`] follows once they are here.
    pub(crate) fn fetch_bytes(&mut self, blob: &BlobRef, purpose: Purpose) -> Result<()> {
        self.tx.want_bytes(blob, purpose, self.now)?;
        self.transfers_changed();
        Ok(())
    }

    /// Wants the content of an encrypted file, in the folder for blobs.
    pub fn fetch_file(&mut self, blob: &BlobRef, purpose: Purpose, secret: &[u8; 32]) -> Result<()> {
        self.tx.want_decrypted(blob, purpose, secret, self.now)?;
        self.transfers_changed();
        Ok(())
    }

    /// Wants a blob at the relay; [`Step::blob_done`] follows once it is complete there.
    pub fn upload_blob(&mut self, blob: &BlobRef, purpose: Purpose, source: Source<'_>) -> Result<()> {
        self.tx.want_upload(blob, purpose, source, self.now)?;
        self.link.leaves_asked = false;
        self.transfers_changed();
        Ok(())
    }

    /// Takes a transfer off the list: it was taken over, or nobody wants it any more. One under way ends.
    pub fn forget_blob(&mut self, blob: &Hash, direction: Direction) -> Result<()> {
        self.tx.forget_transfer(blob, direction)?;
        self.link.leaves.remove(blob);
        self.transfers_changed();
        Ok(())
    }

    /// All bytes are where they should be, verified; `bytes` are they, if they belong into the database.
    pub fn blob_done(&mut self, blob: &Hash, direction: Direction, bytes: Option<&[u8]>) -> Result<()> {
        if !self.tx.complete_transfer(blob, direction, bytes)? {
            return Ok(());
        }
        self.link.leaves.remove(blob);
        // There may be uploads that leave was not asked for yet.
        self.link.leaves_asked = false;
        self.transfers_changed();
        self.changed();
        match self.tx.transfer(blob, direction)? {
            Some(done) => self.blob_arrived(&done),
            None => Ok(()),
        }
    }

    /// The agent gave a transfer up: trying again is useless unless something changes.
    pub fn blob_failed(&mut self, blob: &Hash, direction: Direction, error: &str) -> Result<()> {
        if !self.tx.fail_transfer(blob, direction, error)? {
            return Ok(());
        }
        self.link.leaves.remove(blob);
        self.transfers_changed();
        self.changed();
        match self.tx.transfer(blob, direction)? {
            Some(failed) => self.blob_given_up(&failed),
            None => Ok(()),
        }
    }

    /// A transfer does not get on, and is tried again.
    pub fn blob_delayed(&mut self, blob: &Hash, direction: Direction, error: &str) -> Result<()> {
        self.tx.trouble_transfer(blob, direction, error)?;
        self.changed();
        Ok(())
    }

    /// The relay did not take the leave it gave: another one is asked for.
    pub fn leave_lapsed(&mut self, blob: &Hash) {
        self.link.leaves.remove(blob);
        self.link.leaves_asked = false;
    }

    /// What waits for a blob's bytes goes on with them.
    fn blob_arrived(&mut self, done: &Transfer) -> Result<()> {
        self.history_moved(done, true)?;
        self.handshake_moved(done)
    }

    /// What waits for a blob learns that it does not come.
    fn blob_given_up(&mut self, failed: &Transfer) -> Result<()> {
        self.history_moved(failed, false)?;
        self.handshake_moved(failed)
    }

    /// Asks for leave for uploads that have none (rule `BLB-2`).
    pub(crate) fn pump_leaves(&mut self) -> Result<()> {
        if !self.link.caught_up || self.now < self.link.leaves_after {
            return Ok(());
        }
        if std::mem::replace(&mut self.link.leaves_asked, true) {
            return Ok(());
        }
        for transfer in self.tx.wanted_transfers(LEAVES)? {
            let id = transfer.blob.id;
            let asked = self.link.leaves.contains_key(&id) || self.link.asks_leave(&id);
            if transfer.direction == Direction::Up && !asked {
                self.ask(Request::Upload(Upload { blob: transfer.blob }), Pending::Leave(id));
            }
        }
        Ok(())
    }

    pub(crate) fn leave_answered(&mut self, blob: &Hash, answer: Answer) -> Result<()> {
        match answer {
            Answer::Uploading(leave) => {
                self.link.leaves.insert(*blob, Leave { token: leave.token, offset: leave.offset });
                self.transfers_changed();
                Ok(())
            }
            Answer::Refused(Refusal::TooLarge(limit)) => {
                let error = format!("the relay stores at most {} bytes for you; ask its host for more", limit.limit);
                self.blob_failed(blob, Direction::Up, &error)
            }
            Answer::Refused(Refusal::Unsupported(_)) => {
                self.blob_failed(blob, Direction::Up, "the relay is too old to store files; ask its host to update it")
            }
            Answer::Refused(Refusal::Invalid(_)) => {
                self.blob_failed(blob, Direction::Up, "the relay does not take this file; make it anew")
            }
            // Asked again with a later tick.
            Answer::Refused(Refusal::Busy(wait) | Refusal::RateLimited(wait) | Refusal::Unavailable(wait)) => {
                self.link.leaves_after = Millis(self.now.0 + wait.retry_after_ms.min(MOST_PATIENCE_MS));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn transfers_changed(&mut self) {
        self.effects.push(Effect::Transfers);
    }
}

//! Commits and welcomes that are too long for a frame: they travel beside it, as blobs (rule `BLB-5`). Here is what waits
//! for them; carrying them is the business of `transfers`, and of the agent.

use crate::error::Result;
use crate::step::Step;
use aside_protocol::envelope::Envelope;
use aside_protocol::limits::{MAX_BIG_HANDSHAKE, MAX_HANDSHAKE};
use aside_protocol::request::BlobRef;
use aside_protocol::{Body, Hash};
use aside_store::transfers::{Direction, Purpose, Source, Transfer, TransferState};

impl Step<'_> {
    /// The bytes of an envelope, from itself or from what was fetched.
    pub(crate) fn body_of(&self, envelope: &Envelope) -> Result<Option<Body>> {
        match (&envelope.body, &envelope.blob) {
            (None, Some(blob)) => Ok(self.tx.transfer_bytes(&blob.id, Direction::Down)?.map(Body::from)),
            (body, _) => Ok(body.clone()),
        }
    }

    /// Whether an envelope's bytes must be fetched first; has them fetched. What is too long to be one of ours, or is gone
    /// at the relay, counts as unreadable.
    pub(crate) fn lacks_body(&mut self, envelope: &Envelope) -> Result<bool> {
        let ours = |blob: &BlobRef| envelope.body.is_none() && blob.size <= MAX_BIG_HANDSHAKE as u64;
        let Some(blob) = envelope.blob.filter(|blob| ours(blob) && envelope.from != self.me.device) else {
            return Ok(false);
        };
        match self.tx.transfer(&blob.id, Direction::Down)? {
            Some(transfer) => Ok(transfer.state == TransferState::Wanted),
            None => self.fetch_blob(&blob, Purpose::Handshake).map(|()| true),
        }
    }

    /// An envelope is dealt with, and its bytes with it.
    pub(crate) fn forget_body(&mut self, envelope: &Envelope) -> Result<()> {
        envelope.blob.map_or(Ok(()), |blob| self.forget_blob(&blob.id, Direction::Down))
    }

    /// The body as it goes into a frame; if it is too long, it goes ahead as a blob.
    pub(crate) fn inline(&mut self, body: Body) -> Result<(Body, Option<BlobRef>)> {
        if body.len() <= MAX_HANDSHAKE {
            return Ok((body, None));
        }
        let blob = BlobRef { id: Hash::of(&body), size: body.len() as u64 };
        self.upload_blob(&blob, Purpose::Handshake, Source::Bytes(&body))?;
        Ok((Body::default(), Some(blob)))
    }

    /// How far a blob of this device's has come to the relay.
    pub(crate) fn upload_state(&self, blob: &BlobRef) -> Result<Option<TransferState>> {
        Ok(self.tx.transfer(&blob.id, Direction::Up)?.map(|transfer| transfer.state))
    }

    /// A commit's or welcome's bytes are where they should be, or will not be: whatever waits for them goes on.
    pub(crate) fn handshake_moved(&mut self, transfer: &Transfer) -> Result<()> {
        if transfer.purpose == Purpose::Handshake {
            self.link.dirty.extend(self.tx.chats_holding()?);
            self.mark_membership_work()?;
        }
        Ok(())
    }
}

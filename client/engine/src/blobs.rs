//! Commits and welcomes that are too long for a frame: they travel beside it, as blobs (rule `BLB-5`). Here is only what
//! waits for them; who carries them is the caller's business.

use crate::effect::Effect;
use crate::error::Result;
use crate::step::Step;
use aside_protocol::envelope::Envelope;
use aside_protocol::limits::MAX_BIG_HANDSHAKE;
use aside_protocol::request::BlobRef;
use aside_protocol::{Body, Hash};

impl Step<'_> {
    /// The bytes of an envelope, from itself or from what was fetched.
    pub(crate) fn body_of(&self, envelope: &Envelope) -> Result<Option<Body>> {
        match (&envelope.body, &envelope.blob) {
            (None, Some(blob)) => Ok(self.tx.body(&blob.id)?),
            (body, _) => Ok(body.clone()),
        }
    }

    /// Whether an envelope's bytes must be fetched first; has them fetched. What is too long to be one of ours counts as
    /// empty.
    pub(crate) fn lacks_body(&mut self, envelope: &Envelope) -> Result<bool> {
        let Some(blob) = envelope.blob.filter(|blob| envelope.body.is_none() && blob.size <= MAX_BIG_HANDSHAKE as u64)
        else {
            return Ok(false);
        };
        if envelope.from == self.me.device || self.link.gone.contains(&blob.id) || self.tx.body(&blob.id)?.is_some() {
            return Ok(false);
        }
        if self.link.fetching.insert(blob.id) {
            self.effects.push(Effect::Download(blob));
        }
        Ok(true)
    }

    /// An envelope is dealt with, and its bytes with it.
    pub(crate) fn forget_body(&self, envelope: &Envelope) -> Result<()> {
        envelope.blob.map_or(Ok(()), |blob| Ok(self.tx.drop_body(&blob.id)?))
    }

    /// Whether the relay has a blob of this device's; has it sent if not.
    pub(crate) fn is_uploaded(&mut self, blob: &BlobRef) -> bool {
        if self.link.stored.contains(&blob.id) {
            return true;
        }
        if self.link.storing.insert(blob.id) {
            self.effects.push(Effect::Upload(*blob));
        }
        false
    }

    /// The bytes of a blob that is to be sent.
    pub fn blob(&self, id: &Hash) -> Result<Option<Body>> {
        Ok(self.tx.body(id)?)
    }

    /// The relay has a blob; whatever waits for it goes on.
    pub fn blob_stored(&mut self, id: &Hash) -> Result<()> {
        self.link.storing.remove(id);
        self.link.stored.insert(*id);
        self.mark_membership_work()
    }

    /// A blob was not stored; it is tried again with the next look at what waits for it.
    pub fn blob_not_stored(&mut self, id: &Hash) -> Result<()> {
        self.link.storing.remove(id);
        Ok(())
    }

    /// A blob is here, its hash verified; whatever waits for it goes on.
    pub fn blob_arrived(&mut self, id: &Hash, bytes: &Body) -> Result<()> {
        self.link.fetching.remove(id);
        if Hash::of(bytes) == *id {
            self.tx.save_body(id, bytes)?;
            self.link.dirty.extend(self.tx.chats_holding()?);
            self.changed();
        }
        Ok(())
    }

    /// A blob did not arrive: `for_good` if the relay has it no more, and whoever waits for it must do without.
    pub fn blob_missing(&mut self, id: &Hash, for_good: bool) -> Result<()> {
        self.link.fetching.remove(id);
        if for_good {
            self.link.gone.insert(*id);
            self.link.dirty.extend(self.tx.chats_holding()?);
        }
        Ok(())
    }
}

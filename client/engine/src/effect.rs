//! What the engine wants done once its transaction is committed. Any of it may be lost: it can be derived again.

use aside_protocol::frame::ClientFrame;
use aside_protocol::request::BlobRef;

/// One thing to do after the commit.
#[derive(Debug)]
pub enum Effect {
    /// Send a frame on the present connection.
    Send(ClientFrame),
    /// What front ends show may have changed.
    Changed,
    /// Store a blob at the relay ([`crate::Step::blob`] has the bytes), and tell [`crate::Step::blob_stored`].
    Upload(BlobRef),
    /// Fetch a blob, and tell [`crate::Step::blob_arrived`].
    Download(BlobRef),
}

/// Fresh random bytes, as an input: a simulation hands in its own.
pub trait Random {
    /// Fills a buffer.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// An array of fresh random bytes.
pub fn fresh<const LEN: usize>(random: &mut dyn Random) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    random.fill(&mut bytes);
    bytes
}

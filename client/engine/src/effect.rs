//! What the engine wants done once its transaction is committed. Any of it may be lost: it can be derived again.

use aside_protocol::frame::ClientFrame;

/// One thing to do after the commit.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // most are frames, and none lives long
pub enum Effect {
    /// Send a frame on the present connection.
    Send(ClientFrame),
    /// What front ends show may have changed.
    Changed,
    /// There may be blobs to transfer, or some that need not be any more.
    Transfers,
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

//! Frames in a stream of bytes, for transports that know no messages (rule `QUI-3`). No I/O: chunks in, frames out.

use crate::limits::MAX_FRAME;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes of the length before each frame.
pub const HEAD: usize = 4;

/// A frame longer than [`MAX_FRAME`] was announced; the stream cannot be read further (rule `COD-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes is announced, and {MAX_FRAME} are the most")]
pub struct FrameTooLong(pub usize);

/// Appends a frame and its length.
pub fn put(frame: &[u8], to: &mut BytesMut) {
    to.put_slice(&head(frame.len()));
    to.put_slice(frame);
}

/// What stands before a frame of `len` bytes.
pub fn head(len: usize) -> [u8; HEAD] {
    // A frame has far fewer than 2^32 bytes; one that had more would be refused by this head.
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

/// Cuts a stream into frames. Holds what a frame needs, as it arrives, and nothing between frames.
#[derive(Debug, Default)]
pub struct Cutter {
    /// What came last and was not looked at.
    chunk: Bytes,
    /// The beginning of a frame whose end was not in the chunks so far.
    begun: BytesMut,
}

impl Cutter {
    /// The next chunk of the stream. Only when [`Cutter::frame`] said that it lacks bytes.
    pub fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.chunk.is_empty(), "frames are taken before more is read");
        self.chunk = chunk;
    }

    /// The next frame, or `None` if more bytes are needed. A frame that lies in one chunk is not copied.
    ///
    /// # Errors
    /// A length beyond [`MAX_FRAME`]; the same again at each further call.
    pub fn frame(&mut self) -> Result<Option<Bytes>, FrameTooLong> {
        if self.begun.is_empty()
            && let Some(len) = announced(&self.chunk)?
            && self.chunk.len() >= HEAD + len
        {
            self.chunk.advance(HEAD);
            return Ok(Some(self.chunk.split_to(len)));
        }
        self.gather(HEAD);
        let Some(len) = announced(&self.begun)? else {
            return Ok(None);
        };
        self.gather(HEAD + len);
        if self.begun.len() < HEAD + len {
            return Ok(None);
        }
        let mut frame = std::mem::take(&mut self.begun).freeze();
        frame.advance(HEAD);
        Ok(Some(frame))
    }

    /// Moves bytes over until there are `upto`.
    fn gather(&mut self, upto: usize) {
        let missing = upto.saturating_sub(self.begun.len()).min(self.chunk.len());
        self.begun.extend_from_slice(&self.chunk.split_to(missing));
    }
}

fn announced(bytes: &[u8]) -> Result<Option<usize>, FrameTooLong> {
    let Some(head) = bytes.first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let len = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
    if len > MAX_FRAME { Err(FrameTooLong(len)) } else { Ok(Some(len)) }
}

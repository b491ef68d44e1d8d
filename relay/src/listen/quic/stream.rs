//! Frames over the one stream of a QUIC connection: a length, then the frame (rule `QUI-3`).

use crate::session::{Carrier, Input, Over};
use aside_protocol::stream::{self, Cutter};
use bytes::{Bytes, BytesMut};
use quinn::{Connection, RecvStream, SendStream, VarInt};

/// Longer frames are handed over as they are; shorter ones are gathered, so that a flush is one write.
const GATHERED: usize = 16 << 10;

/// Code of an orderly close.
const DONE: VarInt = VarInt::from_u32(0);

/// A stream that carries a session. The connection is closed with it.
pub(super) struct Conversation {
    connection: Connection,
    send: SendStream,
    recv: RecvStream,
    cutter: Cutter,
    /// Frames fed and not yet written. Holds no memory while it is empty.
    fed: BytesMut,
}

impl Conversation {
    pub(super) fn new(connection: Connection, send: SendStream, recv: RecvStream) -> Self {
        Self { connection, send, recv, cutter: Cutter::default(), fed: BytesMut::new() }
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), Over> {
        self.send.write_chunk(bytes).await.map_err(|_| Over)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.connection.close(DONE, b"");
    }
}

impl Carrier for Conversation {
    async fn hear(&mut self) -> Result<Option<Input>, Over> {
        loop {
            match self.cutter.frame() {
                Ok(Some(frame)) => return Ok(Some(Input::Frame(frame))),
                Ok(None) => {}
                Err(_) => return Ok(Some(Input::TooLong)),
            }
            // The end of the stream, its reset and the connection's end are all the same: nothing more comes.
            match self.recv.read_chunk(usize::MAX, true).await {
                Ok(Some(chunk)) => self.cutter.push(chunk.bytes),
                Ok(None) | Err(_) => return Err(Over),
            }
        }
    }

    async fn feed(&mut self, frame: Bytes) -> Result<(), Over> {
        if frame.len() < GATHERED {
            stream::put(&frame, &mut self.fed);
            return if self.fed.len() < GATHERED { Ok(()) } else { self.flush().await };
        }
        self.fed.extend_from_slice(&stream::head(frame.len()));
        self.flush().await?;
        self.write(frame).await
    }

    async fn flush(&mut self) -> Result<(), Over> {
        if self.fed.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.fed).freeze();
        self.write(bytes).await
    }

    async fn finish(&mut self) -> Result<(), Over> {
        self.flush().await?;
        self.send.finish().map_err(|_| Over)
    }

    /// The client closes the connection once it has read the end (rule `QUI-4`).
    async fn drain(&mut self) {
        self.connection.closed().await;
    }
}

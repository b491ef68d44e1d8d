//! Frames over QUIC (rules `QUI-1` to `QUI-5`): one stream, each frame behind its length.

mod config;
mod connect;
mod watch;

pub(crate) use connect::connect;

use crate::error::TransportError;
use crate::socket::Heard;
use aside_protocol::stream::{self, Cutter};
use bytes::BytesMut;
use quinn::{Connection, ConnectionError, Endpoint, ReadError, RecvStream, SendStream, VarInt};
use watch::Watch;

/// Written out whenever this many bytes wait; flushing writes everything anyway.
const WRITE_BUFFER: usize = 16 << 10;
/// Code of an orderly close.
const DONE: VarInt = VarInt::from_u32(0);

/// The half that writes.
pub(crate) struct Sink {
    send: SendStream,
    fed: BytesMut,
}

/// The half that reads, and looks whether the path still leads anywhere.
pub(crate) struct Source {
    recv: RecvStream,
    cutter: Cutter,
    watch: Watch,
    connection: Connection,
    /// Carries the connection; kept for moving it to another local address.
    endpoint: Endpoint,
}

impl Sink {
    pub async fn feed(&mut self, frame: &[u8]) -> Result<(), TransportError> {
        stream::put(frame, &mut self.fed);
        if self.fed.len() < WRITE_BUFFER { Ok(()) } else { self.flush().await }
    }

    pub async fn flush(&mut self) -> Result<(), TransportError> {
        if self.fed.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.fed).freeze();
        self.send.write_chunk(bytes).await.map_err(|_| TransportError::Closed)
    }

    pub async fn close(&mut self) -> Result<(), TransportError> {
        self.flush().await?;
        self.send.finish().map_err(|_| TransportError::Closed)
    }
}

impl Source {
    /// Waits for the next frame, or for the path to die. Cancelling loses nothing.
    pub async fn hear(&mut self) -> Result<Heard, TransportError> {
        loop {
            if let Some(frame) = self.cutter.frame().map_err(too_long)? {
                return Ok(Heard::Frame(frame));
            }
            let chunk = tokio::select! {
                chunk = self.recv.read_chunk(usize::MAX, true) => chunk,
                dead = self.watch.run(&self.connection, &self.endpoint) => return Err(dead),
            };
            match chunk {
                Ok(Some(chunk)) => self.cutter.push(chunk.bytes),
                Ok(None) => return Err(TransportError::Closed),
                Err(ReadError::ConnectionLost(error)) => return Err(lost(&error)),
                Err(_) => return Err(TransportError::Closed),
            }
        }
    }
}

/// Whoever reads to the end closes (rule `QUI-4`).
impl Drop for Source {
    fn drop(&mut self) {
        self.connection.close(DONE, b"");
    }
}

fn too_long(error: stream::FrameTooLong) -> TransportError {
    TransportError::Protocol(format!("the relay sent too much at once: {error} (COD-1)"))
}

fn lost(error: &ConnectionError) -> TransportError {
    match error {
        ConnectionError::TimedOut => TransportError::Silent,
        ConnectionError::TransportError(error) => TransportError::Protocol(error.to_string()),
        _ => TransportError::Closed,
    }
}

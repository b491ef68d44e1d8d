//! Frames over whatever transport carries them: two halves, each an enum, so that a frame costs a match and no box.

use crate::error::TransportError;
use crate::{quic, websocket};
use aside_protocol::frame::{ClientFrame, RelayFrame};
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::{decode, encode};
use bytes::Bytes;

/// What a transport has set up: a way to the relay, and what binds a login to it (rule `LOG-2`).
pub(crate) struct Socket {
    pub writing: Writing,
    pub reading: Reading,
    pub exporter: Vec<u8>,
}

/// The half that writes.
pub(crate) enum Writing {
    WebSocket(websocket::Sink),
    Quic(quic::Sink),
}

/// The half that reads.
pub(crate) enum Reading {
    WebSocket(websocket::Source),
    Quic(Box<quic::Source>),
}

/// What a transport hears.
pub(crate) enum Heard {
    /// The bytes of a frame.
    Frame(Bytes),
    /// A mere sign of life.
    Life,
}

impl Writing {
    /// Hands a frame over without flushing.
    pub async fn feed(&mut self, frame: &ClientFrame) -> Result<(), TransportError> {
        let bytes = encode(frame);
        if bytes.len() > MAX_FRAME {
            let (name, len) = (frame.name(), bytes.len());
            let problem = format!("a {name} frame of {len} bytes is longer than {MAX_FRAME} (COD-1)");
            return Err(TransportError::Protocol(problem));
        }
        match self {
            Self::WebSocket(sink) => websocket::feed(sink, bytes).await,
            Self::Quic(sink) => sink.feed(&bytes).await,
        }
    }

    /// Writes out what was fed.
    pub async fn flush(&mut self) -> Result<(), TransportError> {
        match self {
            Self::WebSocket(sink) => websocket::flush(sink).await,
            Self::Quic(sink) => sink.flush().await,
        }
    }

    /// Sends a frame and everything fed before it.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), TransportError> {
        self.feed(frame).await?;
        self.flush().await
    }

    /// Writes out what was fed and says that nothing more comes.
    pub async fn close(&mut self) -> Result<(), TransportError> {
        match self {
            Self::WebSocket(sink) => websocket::close(sink).await,
            Self::Quic(sink) => sink.close().await,
        }
    }
}

impl Reading {
    /// Waits for the next frame, or none for a mere sign of life or a frame of a later version, which is skipped (rule
    /// `FRM-4`). Cancelling loses nothing.
    pub async fn hear(&mut self) -> Result<Option<RelayFrame>, TransportError> {
        let heard = match self {
            Self::WebSocket(source) => websocket::hear(source).await?,
            Self::Quic(source) => source.hear().await?,
        };
        let Heard::Frame(bytes) = heard else {
            return Ok(None);
        };
        match decode::<RelayFrame>(&bytes) {
            Ok(RelayFrame::Unknown(code)) => {
                tracing::debug!(code, "skipped a frame of a later version");
                Ok(None)
            }
            Ok(frame) => Ok(Some(frame)),
            Err(e) => Err(TransportError::Protocol(format!("the relay sent a bad frame: {e} ({})", e.rule()))),
        }
    }
}

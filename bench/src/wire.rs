//! A connection as a load generator wants it: frames as bytes, many at a time, without tasks or queues of its own.

mod quic;
mod tls;
mod websocket;

pub use websocket::config as websocket_config;

use crate::error::BenchError;
use bytes::Bytes;
use clap::ValueEnum;
use quic::Quic;
use serde::{Deserialize, Serialize};
use websocket::WebSocket;

/// What a narrow connection holds unread, in bytes.
const NARROW: u32 = 8 << 10;

/// What carries the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Transport {
    /// WebSocket over TLS over TCP.
    Ws,
    /// QUIC.
    Quic,
}

impl Transport {
    /// As it is written on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Quic => "quic",
        }
    }
}

/// An open connection.
pub struct Wire {
    carrier: Carrier,
    /// What binds a login to this channel.
    pub exporter: Vec<u8>,
}

enum Carrier {
    Ws(Box<WebSocket>),
    Quic(Box<Quic>),
}

impl Wire {
    /// Connects.
    pub async fn connect(address: &str, transport: Transport) -> Result<Self, BenchError> {
        Self::connect_with(address, transport, None).await
    }

    /// Connects, and lets the system hold only a few kilobytes of what comes and is not read.
    pub async fn connect_narrow(address: &str, transport: Transport) -> Result<Self, BenchError> {
        Self::connect_with(address, transport, Some(NARROW)).await
    }

    async fn connect_with(address: &str, transport: Transport, held: Option<u32>) -> Result<Self, BenchError> {
        Ok(match transport {
            Transport::Ws => {
                let (socket, exporter) = WebSocket::connect(address, held).await?;
                Self { carrier: Carrier::Ws(Box::new(socket)), exporter }
            }
            Transport::Quic => {
                let (stream, exporter) = Quic::connect(address, held).await?;
                Self { carrier: Carrier::Quic(Box::new(stream)), exporter }
            }
        })
    }

    /// Takes a frame; it leaves with the next flush at the latest.
    pub async fn feed(&mut self, frame: Bytes) -> Result<(), BenchError> {
        match &mut self.carrier {
            Carrier::Ws(socket) => socket.feed(frame).await,
            Carrier::Quic(stream) => {
                stream.feed(&frame);
                Ok(())
            }
        }
    }

    /// Sends what was fed.
    pub async fn flush(&mut self) -> Result<(), BenchError> {
        match &mut self.carrier {
            Carrier::Ws(socket) => socket.flush().await,
            Carrier::Quic(stream) => stream.flush().await,
        }
    }

    /// Waits for the next frame. Cancelling loses nothing.
    pub async fn next(&mut self) -> Result<Bytes, BenchError> {
        match &mut self.carrier {
            Carrier::Ws(socket) => socket.next().await,
            Carrier::Quic(stream) => stream.next().await,
        }
    }

    /// The next frame, if one has come already.
    pub fn ready(&mut self) -> Result<Option<Bytes>, BenchError> {
        match &mut self.carrier {
            Carrier::Ws(socket) => socket.ready(),
            Carrier::Quic(stream) => stream.ready(),
        }
    }
}

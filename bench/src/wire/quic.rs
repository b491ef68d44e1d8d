//! Frames over the one stream of a QUIC connection, each behind its length (rule `QUI-3`).

use super::tls::{NODE, for_quic};
use crate::error::BenchError;
use aside_protocol::login::EXPORTER_LABEL;
use aside_protocol::stream::{self, Cutter};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use quinn::{Chunk, ClientConfig, Connection, Endpoint, ReadError, RecvStream, SendStream, TransportConfig, VarInt};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// As a client has it: its window of envelopes.
const WINDOW: u32 = 2 << 20;
/// What a client asks for a sign of life after.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A connection with a socket of its own, as every client has one.
pub struct Quic {
    send: SendStream,
    recv: RecvStream,
    cutter: Cutter,
    fed: BytesMut,
    connection: Connection,
    _endpoint: Endpoint,
}

impl Quic {
    /// Connects and opens the stream; also returns the channel's exporter.
    pub async fn connect(address: &str, held: Option<u32>) -> Result<(Self, Vec<u8>), BenchError> {
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let endpoint = Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into())?;
        let connecting =
            endpoint.connect_with(config(held.unwrap_or(WINDOW))?, address, NODE).map_err(io::Error::other)?;
        let connection = connecting.await.map_err(io::Error::other)?;
        let mut exporter = vec![0; 32];
        let exported = connection.export_keying_material(&mut exporter, EXPORTER_LABEL, &[]);
        exported.map_err(|_| BenchError::Misbehaved("no TLS exporter".into()))?;
        let (send, recv) = connection.open_bi().await.map_err(io::Error::other)?;
        let (cutter, fed) = (Cutter::default(), BytesMut::new());
        Ok((Self { send, recv, cutter, fed, connection, _endpoint: endpoint }, exporter))
    }

    pub fn feed(&mut self, frame: &[u8]) {
        stream::put(frame, &mut self.fed);
    }

    pub async fn flush(&mut self) -> Result<(), BenchError> {
        if self.fed.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.fed).freeze();
        Ok(self.send.write_chunk(bytes).await.map_err(io::Error::other)?)
    }

    pub async fn next(&mut self) -> Result<Bytes, BenchError> {
        loop {
            if let Some(frame) = self.cut()? {
                return Ok(frame);
            }
            let chunk = self.recv.read_chunk(usize::MAX, true).await;
            self.take(chunk)?;
        }
    }

    pub fn ready(&mut self) -> Result<Option<Bytes>, BenchError> {
        loop {
            if let Some(frame) = self.cut()? {
                return Ok(Some(frame));
            }
            match self.recv.read_chunk(usize::MAX, true).now_or_never() {
                Some(chunk) => self.take(chunk)?,
                None => return Ok(None),
            }
        }
    }

    fn cut(&mut self) -> Result<Option<Bytes>, BenchError> {
        Ok(self.cutter.frame().map_err(io::Error::other)?)
    }

    fn take(&mut self, chunk: Result<Option<Chunk>, ReadError>) -> Result<(), BenchError> {
        match chunk.map_err(io::Error::other)? {
            Some(chunk) => {
                self.cutter.push(chunk.bytes);
                Ok(())
            }
            None => Err(BenchError::Misbehaved("it closed a connection".into())),
        }
    }
}

/// Whoever reads to the end closes (rule `QUI-4`).
impl Drop for Quic {
    fn drop(&mut self) {
        self.connection.close(VarInt::from_u32(0), b"");
    }
}

fn config(window: u32) -> Result<ClientConfig, BenchError> {
    let mut config = ClientConfig::new(Arc::new(for_quic()?));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(window))
        .receive_window(VarInt::from_u32(window))
        .keep_alive_interval(Some(KEEP_ALIVE));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

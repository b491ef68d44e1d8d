//! Frames over a WebSocket over TLS over TCP.

use super::tls::{self, NODE};
use crate::error::BenchError;
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::login::EXPORTER_LABEL;
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use std::io;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// A WebSocket.
pub struct WebSocket(WebSocketStream<TlsStream<TcpStream>>);

impl WebSocket {
    /// Connects; also returns the channel's exporter.
    pub async fn connect(address: &str, held: Option<u32>) -> Result<(Self, Vec<u8>), BenchError> {
        let socket = TcpSocket::new_v4()?;
        if let Some(held) = held {
            socket.set_recv_buffer_size(held)?;
        }
        let tcp = socket.connect(address.parse().map_err(io::Error::other)?).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(NODE).map_err(io::Error::other)?;
        let tls = TlsConnector::from(tls::shared()?).connect(name, tcp).await?;
        let exported = tls.get_ref().1.export_keying_material(vec![0; 32], EXPORTER_LABEL, None);
        let exporter = exported.map_err(io::Error::other)?;
        let config = Some(config());
        let upgraded = tokio_tungstenite::client_async_with_config("wss://aside-relay/v1/ws", tls, config).await;
        let (socket, _) = upgraded.map_err(io::Error::other)?;
        Ok((Self(socket), exporter))
    }

    pub async fn feed(&mut self, frame: Bytes) -> Result<(), BenchError> {
        Ok(self.0.feed(Message::Binary(frame)).await.map_err(io::Error::other)?)
    }

    pub async fn flush(&mut self) -> Result<(), BenchError> {
        Ok(self.0.flush().await.map_err(io::Error::other)?)
    }

    pub async fn next(&mut self) -> Result<Bytes, BenchError> {
        loop {
            if let Some(bytes) = binary(self.0.next().await)? {
                return Ok(bytes);
            }
        }
    }

    pub fn ready(&mut self) -> Result<Option<Bytes>, BenchError> {
        match self.0.next().now_or_never() {
            Some(message) => binary(message),
            None => Ok(None),
        }
    }
}

fn binary(message: Option<Result<Message, WsError>>) -> Result<Option<Bytes>, BenchError> {
    match message {
        Some(Ok(Message::Binary(bytes))) => Ok(Some(bytes)),
        Some(Ok(Message::Close(_))) | None => Err(BenchError::Misbehaved("it closed a connection".into())),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(io::Error::other(error).into()),
    }
}

/// Small buffers, the same for clients of the relay and of the bound, and for the bound itself.
pub fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(16 << 10)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
}

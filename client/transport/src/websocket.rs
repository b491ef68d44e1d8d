//! Frames over a WebSocket over TLS over TCP (rules `FRM-1`, `FRM-2`): one binary message is one frame.

use crate::error::TransportError;
use crate::socket::{Heard, Reading, Socket, Writing};
use crate::tls;
use aside_protocol::Hash;
use aside_protocol::limits::MAX_FRAME;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, error::ProtocolError};

/// Read buffer in bytes: a few small frames at once; it grows for large ones.
const READ_BUFFER: usize = 16 << 10;
/// Written out whenever this many bytes wait; flushing writes everything anyway.
const WRITE_BUFFER: usize = 16 << 10;
/// Where the relay serves its WebSocket. The host names the certificate, not the network.
const ENDPOINT: &str = "wss://aside-relay/v1/ws";

type Stream = WebSocketStream<TlsStream<TcpStream>>;
/// The half that writes.
pub(crate) type Sink = SplitSink<Stream, Message>;
/// The half that reads.
pub(crate) type Source = SplitStream<Stream>;

/// Reaches the relay by TCP; `address` is for messages only.
pub(crate) async fn reach(ip: SocketAddr, address: &str) -> Result<TcpStream, TransportError> {
    let unreachable = |e: std::io::Error| TransportError::Unreachable { address: address.into(), why: e.to_string() };
    let stream = TcpStream::connect(ip).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(stream)
}

/// TLS, then the upgrade.
pub(crate) async fn secure(stream: TcpStream, pin: Hash, address: &str) -> Result<Socket, TransportError> {
    let tls = tls::connect(stream, pin, address).await?;
    let exporter = tls::exporter(&tls)?;
    let (sink, source) = upgrade(tls, address).await?.split();
    Ok(Socket { writing: Writing::WebSocket(sink), reading: Reading::WebSocket(source), exporter })
}

async fn upgrade(tls: TlsStream<TcpStream>, address: &str) -> Result<Stream, TransportError> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let upgraded = tokio_tungstenite::client_async_with_config(ENDPOINT, tls, Some(config)).await;
    upgraded.map(|(socket, _)| socket).map_err(|e| match e {
        WsError::Io(io) => TransportError::Unreachable { address: address.to_owned(), why: io.to_string() },
        other => TransportError::NotARelay { address: address.to_owned(), why: other.to_string() },
    })
}

/// Hands a frame over without flushing.
pub(crate) async fn feed(sink: &mut Sink, frame: Bytes) -> Result<(), TransportError> {
    sink.feed(Message::Binary(frame)).await.map_err(|e| ws_error(&e))
}

/// Writes out what was fed.
pub(crate) async fn flush(sink: &mut Sink) -> Result<(), TransportError> {
    sink.flush().await.map_err(|e| ws_error(&e))
}

/// Writes out what was fed and says that nothing more comes.
pub(crate) async fn close(sink: &mut Sink) -> Result<(), TransportError> {
    sink.close().await.map_err(|_| TransportError::Closed)
}

/// Waits for the next message. Cancelling loses nothing.
pub(crate) async fn hear(source: &mut Source) -> Result<Heard, TransportError> {
    match source.next().await {
        None | Some(Ok(Message::Close(_))) => Err(TransportError::Closed),
        Some(Err(e)) => Err(ws_error(&e)),
        Some(Ok(Message::Binary(bytes))) => Ok(Heard::Frame(bytes)),
        Some(Ok(Message::Text(_))) => Err(TransportError::Protocol("the relay sent a text message (FRM-1)".into())),
        Some(Ok(_)) => Ok(Heard::Life),
    }
}

fn ws_error(error: &WsError) -> TransportError {
    match error {
        WsError::Capacity(e) => TransportError::Protocol(format!("the relay sent too much at once: {e} (COD-1)")),
        // A relay that was killed closes without the closing handshake.
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => TransportError::Closed,
        WsError::Protocol(e) => TransportError::Protocol(e.to_string()),
        _ => TransportError::Closed,
    }
}

//! Frames over one WebSocket (rules `FRM-1`, `FRM-2`): one binary message is one frame.

use crate::error::TransportError;
use aside_protocol::frame::{ClientFrame, RelayFrame};
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::{decode, encode};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
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

/// The socket under a connection.
pub(crate) type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// Asks the server at the other end of `tls` for a WebSocket.
pub(crate) async fn upgrade(tls: TlsStream<TcpStream>, address: &str) -> Result<Socket, TransportError> {
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

/// Hands a frame to the socket without flushing.
pub(crate) async fn feed<S>(sink: &mut S, frame: &ClientFrame) -> Result<(), TransportError>
where
    S: Sink<Message, Error = WsError> + Unpin,
{
    let bytes = encode(frame);
    if bytes.len() > MAX_FRAME {
        let problem = format!("a {} frame of {} bytes is longer than {MAX_FRAME} (COD-1)", frame.name(), bytes.len());
        return Err(TransportError::Protocol(problem));
    }
    sink.feed(Message::Binary(bytes)).await.map_err(|e| ws_error(&e))
}

/// Sends a frame and everything fed before it.
pub(crate) async fn send<S>(sink: &mut S, frame: &ClientFrame) -> Result<(), TransportError>
where
    S: Sink<Message, Error = WsError> + Unpin,
{
    feed(sink, frame).await?;
    flush(sink).await
}

/// Writes out what was fed.
pub(crate) async fn flush<S>(sink: &mut S) -> Result<(), TransportError>
where
    S: Sink<Message, Error = WsError> + Unpin,
{
    sink.flush().await.map_err(|e| ws_error(&e))
}

/// Waits for the next message: a frame, or none for a mere sign of life or a frame of a later version, which is
/// skipped (rule `FRM-4`). Cancelling loses nothing.
pub(crate) async fn hear<S>(stream: &mut S) -> Result<Option<RelayFrame>, TransportError>
where
    S: Stream<Item = Result<Message, WsError>> + Unpin,
{
    match stream.next().await {
        None | Some(Ok(Message::Close(_))) => Err(TransportError::Closed),
        Some(Err(e)) => Err(ws_error(&e)),
        Some(Ok(Message::Binary(bytes))) => match decode::<RelayFrame>(&bytes) {
            Ok(RelayFrame::Unknown(code)) => {
                tracing::debug!(code, "skipped a frame of a later version");
                Ok(None)
            }
            Ok(frame) => Ok(Some(frame)),
            Err(e) => Err(TransportError::Protocol(format!("the relay sent a bad frame: {e} ({})", e.rule()))),
        },
        Some(Ok(Message::Text(_))) => Err(TransportError::Protocol("the relay sent a text message (FRM-1)".into())),
        Some(Ok(_)) => Ok(None),
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

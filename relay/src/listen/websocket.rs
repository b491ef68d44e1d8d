//! Frames over a WebSocket: one binary message is one frame (rules `FRM-1`, `FRM-2`).

use crate::session::{Carrier, Input, Over};
use aside_protocol::limits::MAX_FRAME;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

/// A WebSocket that carries a session.
pub struct WebSocket<S> {
    socket: WebSocketStream<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Takes over a stream whose upgrade is done; `early` came right behind the request.
    pub async fn over(stream: S, early: &[u8]) -> Self {
        // A copy: the bytes' own buffer is hyper's whole one, and would stay.
        let early = early.to_vec();
        Self { socket: WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config())).await }
    }
}

/// Small buffers, since most connections are idle.
fn config() -> WebSocketConfig {
    let mut config = WebSocketConfig::default();
    // Each connection keeps one of these while it is idle. Longer frames grow it for themselves.
    config.read_buffer_size = 1 << 10;
    config.write_buffer_size = 16 << 10;
    config.max_write_buffer_size = 4 * MAX_FRAME;
    config.max_message_size = Some(MAX_FRAME);
    config.max_frame_size = Some(MAX_FRAME);
    config
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Carrier for WebSocket<S> {
    async fn hear(&mut self) -> Result<Option<Input>, Over> {
        heard(self.socket.next().await)
    }

    async fn feed(&mut self, frame: Bytes) -> Result<(), Over> {
        self.socket.feed(Message::Binary(frame)).await.map_err(over)
    }

    async fn flush(&mut self) -> Result<(), Over> {
        self.socket.flush().await.map_err(over)
    }

    async fn finish(&mut self) -> Result<(), Over> {
        self.socket.close(None).await.map_err(over)
    }

    async fn drain(&mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

fn over(_: WsError) -> Over {
    Over
}

/// What arrived on the socket. Pings and pongs of WebSocket itself are tungstenite's business.
fn heard(message: Option<Result<Message, WsError>>) -> Result<Option<Input>, Over> {
    match message {
        Some(Ok(Message::Binary(bytes))) => Ok(Some(Input::Frame(bytes))),
        Some(Ok(Message::Text(_))) => Ok(Some(Input::Text)),
        Some(Ok(Message::Close(_))) | None => Err(Over),
        Some(Ok(_)) => Ok(None),
        Some(Err(WsError::Capacity(_))) => Ok(Some(Input::TooLong)),
        Some(Err(_)) => Err(Over),
    }
}

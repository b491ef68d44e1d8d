//! Frames over either transport, as plainly as can be.

use aside_protocol::codec;
use aside_protocol::frame::RelayFrame;
use aside_protocol::stream::{Cutter, head};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use quinn::{Connection, ReadError, RecvStream, SendStream};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Nothing takes longer on a busy machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

pub enum Socket {
    WebSocket(Box<WebSocketStream<TlsStream<TcpStream>>>),
    Quic(Quic),
}

pub struct Quic {
    pub connection: Connection,
    pub send: SendStream,
    pub recv: RecvStream,
    cutter: Cutter,
}

impl Socket {
    pub async fn websocket(stream: TlsStream<TcpStream>) -> Self {
        let (socket, _) = tokio_tungstenite::client_async("wss://aside-relay/v1/ws", stream).await.unwrap();
        Self::WebSocket(Box::new(socket))
    }

    pub async fn quic(connection: Connection) -> Self {
        let (send, recv) = connection.open_bi().await.unwrap();
        Self::Quic(Quic { connection, send, recv, cutter: Cutter::default() })
    }

    pub async fn send(&mut self, frame: Bytes) {
        match self {
            Self::WebSocket(socket) => socket.send(Message::Binary(frame)).await.unwrap(),
            Self::Quic(quic) => {
                let head = Bytes::copy_from_slice(&head(frame.len()));
                quic.send.write_all_chunks(&mut [head, frame]).await.unwrap();
            }
        }
    }

    pub async fn text(&mut self, text: &str) {
        let Self::WebSocket(socket) = self else { panic!("QUIC knows no text") };
        socket.send(Message::text(text)).await.unwrap();
    }

    /// Says that nothing more comes.
    pub async fn close(&mut self) {
        match self {
            Self::WebSocket(socket) => drop(socket.as_mut().close(None).await),
            Self::Quic(quic) => drop(quic.send.finish()),
        }
    }

    /// The next frame; `None` when the relay has ended the connection in order.
    pub async fn receive(&mut self) -> Option<RelayFrame> {
        let received = async {
            match self {
                Self::WebSocket(socket) => of_websocket(socket).await,
                Self::Quic(quic) => quic.frame().await,
            }
        };
        let frame = timeout(PATIENCE, received).await.expect("the relay says something in time")?;
        Some(codec::decode(&frame).expect("a relay's frame is readable"))
    }
}

async fn of_websocket(socket: &mut WebSocketStream<TlsStream<TcpStream>>) -> Option<Bytes> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Some(bytes),
            Some(Ok(Message::Close(reason))) => {
                assert!(reason.is_none_or(|reason| reason.code == CloseCode::Normal));
                return None;
            }
            None | Some(Err(_)) => return None,
            Some(Ok(_)) => {}
        }
    }
}

impl Quic {
    /// The next frame, or the end of the stream. A client then closes the connection (rule `QUI-4`).
    async fn frame(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.cutter.frame().expect("a relay's frames are not too long") {
                return Some(frame);
            }
            match self.recv.read_chunk(usize::MAX, true).await {
                Ok(Some(chunk)) => self.cutter.push(chunk.bytes),
                Ok(None) | Err(ReadError::ConnectionLost(_)) => {
                    self.connection.close(0_u32.into(), b"");
                    return None;
                }
                Err(other) => panic!("the relay broke off: {other}"),
            }
        }
    }
}

//! A connection as a load generator wants it: frames as bytes, many at a time, without tasks or queues of its own.

use crate::error::BenchError;
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::login::EXPORTER_LABEL;
use bytes::Bytes;
use clap::ValueEnum;
use futures_util::{FutureExt, SinkExt, StreamExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::io;
use std::sync::{Arc, LazyLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

/// What carries the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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
    socket: WebSocketStream<TlsStream<TcpStream>>,
    /// What binds a login to this channel.
    pub exporter: Vec<u8>,
}

impl Wire {
    /// Connects.
    pub async fn connect(address: &str, _transport: Transport) -> Result<Self, BenchError> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("aside-relay").map_err(io::Error::other)?;
        let tls = TlsConnector::from(TLS.clone()).connect(name, tcp).await?;
        let exported = tls.get_ref().1.export_keying_material(vec![0; 32], EXPORTER_LABEL, None);
        let exporter = exported.map_err(io::Error::other)?;
        let config = websocket_config();
        let upgraded = tokio_tungstenite::client_async_with_config("wss://aside-relay/v1/ws", tls, Some(config)).await;
        let (socket, _) = upgraded.map_err(io::Error::other)?;
        Ok(Self { socket, exporter })
    }

    /// Takes a frame; it leaves with the next flush at the latest.
    pub async fn feed(&mut self, frame: Bytes) -> Result<(), BenchError> {
        Ok(self.socket.feed(Message::Binary(frame)).await.map_err(io::Error::other)?)
    }

    /// Sends what was fed.
    pub async fn flush(&mut self) -> Result<(), BenchError> {
        Ok(self.socket.flush().await.map_err(io::Error::other)?)
    }

    /// Waits for the next frame. Cancelling loses nothing.
    pub async fn next(&mut self) -> Result<Bytes, BenchError> {
        loop {
            if let Some(bytes) = binary(self.socket.next().await)? {
                return Ok(bytes);
            }
        }
    }

    /// The next frame, if one has come already.
    pub fn ready(&mut self) -> Result<Option<Bytes>, BenchError> {
        match self.socket.next().now_or_never() {
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

/// Small buffers, the same on both sides and for relay and bound.
pub fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(16 << 10)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
}

/// TLS as a client of the relay has it.
static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| Arc::new(client_config()));

#[allow(clippy::expect_used)]
fn client_config() -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(ProvedLater(provider.clone()));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3 is there")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config
}

/// Takes any certificate: the relay proves itself in its hello, over the exporter of this very channel (rule `LOG-1`),
/// and the bound is a process of our own.
#[derive(Debug)]
struct ProvedLater(Arc<CryptoProvider>);

impl ServerCertVerifier for ProvedLater {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        node: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, node, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

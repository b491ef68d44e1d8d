//! How QUIC is set up: one stream, no early data, and little memory for a connection that says nothing.

use super::ids::Ids;
use crate::identity::Identity;
use crate::server::StartError;
use aside_protocol::limits::SILENCE_MS;
use aws_lc_rs::hmac;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{EndpointConfig, IdleTimeout, ServerConfig, TransportConfig, VarInt};
use socket2::SockRef;
use std::net::UdpSocket;
use std::sync::Arc;

/// Bytes a client may send before the session has read them: a burst of large messages.
const RECEIVE_WINDOW: u32 = 256 << 10;
/// Bytes on their way to a client that it has not confirmed. What is beyond waits in the session, which then reads no more.
const SEND_WINDOW: u64 = 256 << 10;
/// Bytes of handshake messages out of order: a client's hello has about 1.5 KiB.
const CRYPTO_BUFFER: usize = 8 << 10;
/// Bytes of first packets kept for connections that are not accepted yet, in all.
const INCOMING_BUFFER: u64 = 4 << 20;
/// Wanted for the socket, in bytes each way; the system may grant less. All connections share it.
const SOCKET_BUFFER: usize = 4 << 20;

/// For a server with this TLS configuration.
pub(super) fn server(tls: Arc<rustls::ServerConfig>) -> Result<ServerConfig, StartError> {
    let crypto = QuicServerConfig::try_from(tls).map_err(|e| StartError::Quic(e.to_string()))?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport())).incoming_buffer_size_total(INCOMING_BUFFER).migration(true);
    // Tokens for later connections would let an observer link them.
    config.validation_token.sent(0);
    Ok(config)
}

/// One stream, opened by the client, and nothing else (rule `QUI-2`).
fn transport() -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .datagram_send_buffer_size(0)
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .send_window(SEND_WINDOW)
        .crypto_buffer_size(CRYPTO_BUFFER)
        // With it a connection keeps a buffer for ten packets for ever, about 20 KiB; most of ours send one at a time.
        .enable_segmentation_offload(false)
        .max_idle_timeout(u32::try_from(SILENCE_MS).ok().map(|ms| IdleTimeout::from(VarInt::from_u32(ms))));
    config
}

/// The key of resets is one that a restarted relay has again, so that it can tell clients of its former life that their
/// connection is gone (RFC 9000 section 10.3) instead of leaving them to wait.
pub(super) fn endpoint(identity: &Identity) -> Result<EndpointConfig, StartError> {
    let reset = identity.derive("aside/1 quic stateless reset");
    let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset.as_slice())));
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| StartError::Quic(error.to_string()))?;
    config.cid_generator(move || Box::new(Ids::new(&key)));
    Ok(config)
}

/// Makes room for bursts.
pub(super) fn widen(socket: &UdpSocket) {
    let socket = SockRef::from(socket);
    let widened = socket.set_recv_buffer_size(SOCKET_BUFFER).and_then(|()| socket.set_send_buffer_size(SOCKET_BUFFER));
    if let Err(error) = widened {
        tracing::debug!(%error, "the system's UDP buffers stay as they are");
    }
}

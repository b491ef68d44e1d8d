//! How QUIC is set up on a client: nothing the relay opens, no early data, signs of life that keep a NAT's way open.

use aside_protocol::limits::SILENCE_MS;
use aside_protocol::login::QUIC_ALPN;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, IdleTimeout, TransportConfig, VarInt};
use std::sync::Arc;
use std::time::Duration;

/// Bytes the relay may send before they are read: its window of envelopes, with room for answers.
const RECEIVE_WINDOW: u32 = 2 << 20;
/// Bytes on their way that the relay has not confirmed; what is beyond waits in the outbox.
const SEND_WINDOW: u64 = 1 << 20;

/// For a relay that `tls` knows; `keep_alive` after hearing nothing, the relay is asked for a sign of life.
pub(super) fn client(mut tls: rustls::ClientConfig, keep_alive: Duration) -> Result<ClientConfig, String> {
    tls.alpn_protocols = vec![QUIC_ALPN.to_vec()];
    tls.enable_early_data = false;
    let crypto = QuicClientConfig::try_from(tls).map_err(|e| e.to_string())?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .datagram_send_buffer_size(0)
        .stream_receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .send_window(SEND_WINDOW)
        .keep_alive_interval(Some(keep_alive))
        .max_idle_timeout(u32::try_from(SILENCE_MS).ok().map(|ms| IdleTimeout::from(VarInt::from_u32(ms))));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

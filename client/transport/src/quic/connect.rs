//! Reaching a relay by QUIC.

use super::watch::Watch;
use super::{Sink, Source, config};
use crate::error::TransportError;
use crate::socket::{Reading, Socket, Writing};
use crate::timing::Timing;
use crate::tls::{self, NODE_NAME, PinnedRelay};
use aside_protocol::Hash;
use aside_protocol::login::EXPORTER_LABEL;
use aside_protocol::stream::Cutter;
use bytes::BytesMut;
use quinn::{Connection, ConnectionError, Endpoint, TransportErrorCode};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Connects and opens the stream; `address` is for messages only.
pub(crate) async fn connect(
    ip: SocketAddr,
    pin: Hash,
    address: &str,
    timing: &Timing,
) -> Result<Socket, TransportError> {
    let unreachable = |why: String| TransportError::Unreachable { address: address.to_owned(), why };
    let (tls, relay) = tls::config(pin).map_err(|e| unreachable(e.to_string()))?;
    let config = config::client(tls, timing.keep_alive).map_err(TransportError::Protocol)?;
    let endpoint = Endpoint::client(any_port(ip)).map_err(|e| unreachable(e.to_string()))?;
    let connecting = endpoint.connect_with(config, ip, NODE_NAME).map_err(|e| unreachable(e.to_string()))?;
    let connection = connecting.await.map_err(|e| failed(&e, &relay, address))?;
    let exporter = exporter(&connection)?;
    let (send, recv) = connection.open_bi().await.map_err(|e| failed(&e, &relay, address))?;
    let watch = Watch::new(ip, timing.look);
    let source = Source { recv, cutter: Cutter::default(), watch, connection, endpoint };
    Ok(Socket {
        writing: Writing::Quic(Sink { send, fed: BytesMut::new() }),
        reading: Reading::Quic(Box::new(source)),
        exporter,
    })
}

/// Any port of any address of the same family.
pub(super) fn any_port(towards: SocketAddr) -> SocketAddr {
    let ip = if towards.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    SocketAddr::new(ip, 0)
}

/// The 32 bytes that bind a login to this connection (rule `LOG-2`). An empty context is none in TLS 1.3.
fn exporter(connection: &Connection) -> Result<Vec<u8>, TransportError> {
    let mut exporter = vec![0; 32];
    let exported = connection.export_keying_material(&mut exporter, EXPORTER_LABEL, &[]);
    exported.map(|()| exporter).map_err(|_| TransportError::Protocol("no TLS exporter".into()))
}

fn failed(error: &ConnectionError, relay: &PinnedRelay, address: &str) -> TransportError {
    if let Some(reason) = relay.objection() {
        return reason.into_error(address);
    }
    let address = address.to_owned();
    match error {
        ConnectionError::TransportError(error) if is_tls(error.code) => {
            TransportError::Tls { address, why: error.reason.clone() }
        }
        // It answers with TLS, and does not know our protocol's name.
        ConnectionError::ConnectionClosed(close) if is_tls(close.error_code) => {
            TransportError::NotARelay { address, why: "it does not speak Aside over QUIC".into() }
        }
        ConnectionError::VersionMismatch => {
            TransportError::NotARelay { address, why: "it speaks another version of QUIC".into() }
        }
        other => TransportError::Unreachable { address, why: other.to_string() },
    }
}

/// Codes 0x100 to 0x1ff are TLS alerts (RFC 9001 section 4.8).
fn is_tls(code: TransportErrorCode) -> bool {
    (0x100..0x200).contains(&u64::from(code))
}

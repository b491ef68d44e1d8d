//! QUIC: the same frames and sessions as over WebSocket, on the UDP port of the same number (rules `QUI-1` to `QUI-4`).

mod config;
mod ids;
mod stream;

use super::{Connections, HANDSHAKES, Opened, fresh_channel};
use crate::identity::Identity;
use crate::server::{Shared, StartError};
use crate::session::task;
use aside_protocol::limits::LOGIN_MS;
use aside_protocol::login::EXPORTER_LABEL;
use quinn::{Connecting, Connection, Endpoint, Incoming};
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;
use stream::Conversation;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// TLS, and opening the stream, get this long each (rule `LOG-4`).
const PATIENCE: Duration = Duration::from_millis(LOGIN_MS);
/// With fewer places than this left, a client first proves that it is where it says (RFC 9000 section 8.1.2).
const CROWDED: usize = HANDSHAKES / 2;
/// At the end, time for the last packets to go out.
const LAST: Duration = Duration::from_millis(500);

/// An endpoint on a bound socket.
pub fn endpoint(
    socket: UdpSocket,
    tls: Arc<rustls::ServerConfig>,
    identity: &Identity,
) -> Result<Endpoint, StartError> {
    config::widen(&socket);
    let server = config::server(tls)?;
    Ok(Endpoint::new(config::endpoint(identity)?, Some(server), socket, Arc::new(quinn::TokioRuntime))?)
}

/// Accepts connections until the relay stops, then waits for those that are open.
pub async fn accept(endpoint: Endpoint, shared: Arc<Shared>) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let mut stop = shared.stopping();
    let mut connections = Connections::default();
    loop {
        let incoming = tokio::select! {
            Some(incoming) = endpoint.accept() => incoming,
            true = connections.tend() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
            else => break,
        };
        if let Some((connecting, permit)) = admit(incoming, &handshakes) {
            connections.begin(converse(connecting, permit, shared.clone()));
        }
    }
    endpoint.set_server_config(None);
    while connections.tend().await {}
    let _ = timeout(LAST, endpoint.wait_idle()).await;
}

/// Begins a handshake if there is room. A crowd of forged addresses takes none: it never sees its retry token.
fn admit(incoming: Incoming, handshakes: &Arc<Semaphore>) -> Option<(Connecting, OwnedSemaphorePermit)> {
    if handshakes.available_permits() < CROWDED && !incoming.remote_address_validated() {
        if let Err(error) = incoming.retry() {
            error.into_incoming().ignore();
        }
        return None;
    }
    match handshakes.clone().try_acquire_owned() {
        Ok(permit) => incoming.accept().ok().map(|connecting| (connecting, permit)),
        Err(_) => {
            incoming.refuse();
            None
        }
    }
}

/// One connection, until its conversation is open.
async fn converse(connecting: Connecting, permit: OwnedSemaphorePermit, shared: Arc<Shared>) -> Option<Opened> {
    let handshake = timeout(PATIENCE, connecting).await;
    drop(permit);
    let Ok(Ok(connection)) = handshake else {
        tracing::debug!("a QUIC handshake failed");
        return None;
    };
    let conversation = tokio::select! {
        opened = timeout(PATIENCE, connection.accept_bi()) => opened,
        () = shared.stopped() => return None,
    };
    let Ok(Ok((send, recv))) = conversation else {
        tracing::debug!("a QUIC connection opened no stream");
        return None;
    };
    let channel = exporter(&connection).and_then(fresh_channel)?;
    Some(Box::pin(task::run(Conversation::new(connection, send, recv), shared, channel)))
}

/// What binds the login to this connection (rule `LOG-2`). An empty context is none in TLS 1.3.
fn exporter(connection: &Connection) -> Option<[u8; 32]> {
    let mut exporter = [0; 32];
    let exported = connection.export_keying_material(&mut exporter, EXPORTER_LABEL, &[]);
    if exported.is_err() {
        tracing::warn!("no TLS exporter");
    }
    exported.ok().map(|()| exporter)
}

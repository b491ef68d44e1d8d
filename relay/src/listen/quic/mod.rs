//! QUIC: the same frames and sessions as over WebSocket, on the UDP port of the same number (rules `QUI-1` to `QUI-4`).

mod config;
mod ids;
mod stream;

use super::{HANDSHAKES, fresh_channel};
use crate::identity::Identity;
use crate::server::{Shared, StartError};
use crate::session::task;
use aside_protocol::limits::LOGIN_MS;
use aside_protocol::login::EXPORTER_LABEL;
use quinn::{Connecting, Connection, Endpoint, Incoming, VarInt};
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;
use stream::Conversation;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// TLS, and opening the stream, get this long each (rule `LOG-4`).
const PATIENCE: Duration = Duration::from_millis(LOGIN_MS);
/// With fewer places than this left, a client first proves that it is where it says (RFC 9000 section 8.1.2).
const CROWDED: usize = HANDSHAKES / 2;
/// At the end, time for the last packets to go out.
const LAST: Duration = Duration::from_millis(500);
/// Code of an orderly close.
const DONE: VarInt = VarInt::from_u32(0);

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
    let mut connections = JoinSet::new();
    loop {
        let incoming = tokio::select! {
            Some(incoming) = endpoint.accept() => incoming,
            Some(_) = connections.join_next() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
            else => break,
        };
        if let Some((connecting, permit)) = admit(incoming, &handshakes) {
            connections.spawn(converse(connecting, permit, shared.clone()));
        }
    }
    endpoint.set_server_config(None);
    while connections.join_next().await.is_some() {}
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

/// One connection from its handshake to its end.
async fn converse(connecting: Connecting, permit: OwnedSemaphorePermit, shared: Arc<Shared>) {
    let handshake = timeout(PATIENCE, connecting).await;
    drop(permit);
    let Ok(Ok(connection)) = handshake else {
        tracing::debug!("a QUIC handshake failed");
        return;
    };
    let conversation = tokio::select! {
        opened = timeout(PATIENCE, connection.accept_bi()) => opened,
        _ = stopped(&shared) => return,
    };
    let Ok(Ok((send, recv))) = conversation else {
        tracing::debug!("a QUIC connection opened no stream");
        return;
    };
    let Some(channel) = exporter(&connection).and_then(fresh_channel) else {
        return;
    };
    task::run(Conversation::new(connection.clone(), send, recv), shared, channel).await;
    connection.close(DONE, b"");
}

async fn stopped(shared: &Shared) {
    let _ = shared.stopping().wait_for(|stop| *stop).await;
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

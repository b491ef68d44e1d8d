//! From sockets to framed connections: TCP, then TLS, then HTTP, then a WebSocket; and QUIC beside them.

mod bind;
mod blobs;
mod http;
pub mod quic;
pub mod tls;
mod websocket;

pub use bind::bind;

use crate::server::Shared;
use crate::session::Channel;
use aside_protocol::Nonce;
use aside_protocol::limits::LOGIN_MS;
use aside_protocol::login::EXPORTER_LABEL;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Handshakes under way at a time, of each kind. Further TCP connections wait in the system's queue, further QUIC ones
/// are refused.
const HANDSHAKES: usize = 256;
/// Pause after a failed accept, for example when there are no file descriptors left.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// A connection whose handshakes are done. They need more memory than what follows, so that runs as a task of its own.
type Opened = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The connections of a listener, in either stage.
#[derive(Default)]
struct Connections(JoinSet<Option<Opened>>);

impl Connections {
    /// Begins one with its handshakes.
    fn begin(&mut self, handshakes: impl Future<Output = Option<Opened>> + Send + 'static) {
        self.0.spawn(handshakes);
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// Waits until one ends a stage, and lets it go on. `false` when there is none.
    async fn tend(&mut self) -> bool {
        let ended = self.0.join_next().await;
        if let Some(Ok(Some(opened))) = ended {
            self.0.spawn(async {
                opened.await;
                None
            });
            return true;
        }
        ended.is_some()
    }
}

/// Accepts connections until the relay stops, then waits for those that are open.
pub async fn accept(listener: TcpListener, tls: Arc<rustls::ServerConfig>, shared: Arc<Shared>) {
    let acceptor = TlsAcceptor::from(tls);
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let mut stop = shared.stopping();
    let mut connections = Connections::default();
    loop {
        let accepted = tokio::select! {
            accepted = accept_one(&listener, &handshakes) => accepted,
            true = connections.tend() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, permit)) => {
                let (acceptor, shared) = (acceptor.clone(), shared.clone());
                connections.begin(connection(stream, acceptor, shared, permit));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
    drop(listener);
    while connections.tend().await {}
}

/// The next connection, once there is room for its handshake.
async fn accept_one(
    listener: &TcpListener,
    handshakes: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = handshakes.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

/// One connection: the handshake under a deadline, then HTTP.
async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    shared: Arc<Shared>,
    permit: OwnedSemaphorePermit,
) -> Option<Opened> {
    // Frames are small and latency matters more than packets.
    stream.set_nodelay(true).ok()?;
    let handshake = timeout(Duration::from_millis(LOGIN_MS), acceptor.accept(stream)).await;
    drop(permit);
    let Ok(Ok(stream)) = handshake else {
        tracing::debug!("a TLS handshake failed");
        return None;
    };
    let exporter = stream.get_ref().1.export_keying_material([0; 32], EXPORTER_LABEL, None);
    match exporter {
        Ok(exporter) => http::serve(stream, exporter, shared).await,
        Err(error) => {
            tracing::warn!(%error, "no TLS exporter");
            None
        }
    }
}

/// What is fresh in a connection: its exporter and a nonce. `None` if there is no randomness.
fn fresh_channel(exporter: [u8; 32]) -> Option<Channel> {
    let mut nonce = [0; 32];
    if let Err(error) = getrandom::fill(&mut nonce) {
        tracing::error!(%error, "the system gives no random numbers");
        return None;
    }
    Some(Channel { nonce: Nonce(nonce), exporter: Some(exporter.to_vec()) })
}

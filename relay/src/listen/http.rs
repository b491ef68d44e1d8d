//! The routes of the relay's port: the WebSocket, blobs, and whether the relay is well (rule `HTT-1`).

use super::websocket::WebSocket;
use super::{Opened, blobs, fresh_channel};
use crate::server::Shared;
use crate::session::task;
use aside_protocol::limits::LOGIN_MS;
use bytes::Bytes;
use futures_util::Stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Bytes of request line and headers; the smallest that hyper takes.
const MOST_HEADER_BYTES: usize = 8192;
/// Headers of a request.
const MOST_HEADERS: usize = 32;

/// A connection that carries a blob is given up when nothing moved for this long. What was moved already is kept, so a
/// slow one goes on where it was.
const STALLED: Duration = Duration::from_secs(60);

/// An answer, with a body that may come in parts.
pub(super) type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// What moves on a connection beside the requests themselves.
#[derive(Default)]
pub(super) struct Moving {
    transfers: AtomicUsize,
    bytes: AtomicU64,
}

/// One transfer under way.
pub(super) struct Busy(Arc<Moving>);

impl Moving {
    /// A transfer begins; it ends when what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.transfers.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Waits until the connection only asks, without becoming a session, or stands still.
    async fn stalled(&self) {
        loop {
            let before = self.bytes.load(Ordering::Relaxed);
            let busy = self.transfers.load(Ordering::Relaxed) > 0;
            sleep(if busy { STALLED } else { Duration::from_millis(LOGIN_MS) }).await;
            if self.bytes.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

impl Busy {
    /// Some bytes came or went.
    pub(super) fn moved(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.transfers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves requests; one that upgrades becomes a session.
pub async fn serve(stream: TlsStream<TcpStream>, exporter: [u8; 32], shared: Arc<Shared>) -> Option<Opened> {
    let upgrade = Mutex::new(None);
    let moving = Arc::new(Moving::default());
    let service = service_fn(|mut request: Request<Incoming>| {
        let (shared, moving, upgrade) = (shared.clone(), moving.clone(), &upgrade);
        async move {
            Ok::<_, Infallible>(match request.uri().path().starts_with(blobs::PREFIX) {
                true => blobs::serve(request, shared, moving).await,
                false => route(&mut request, upgrade),
            })
        }
    });
    let mut stop = shared.stopping();
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(LOGIN_MS))
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let ended = tokio::select! {
        ended = served => ended,
        _ = stop.wait_for(|stop| *stop) => return None,
        () = moving.stalled() => return None,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended");
    }
    let upgrade = upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    websocket(upgrade?, exporter, shared).await
}

fn route(request: &mut Request<Incoming>, upgrade: &Mutex<Option<OnUpgrade>>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/v1/ws") => match accept_key(request.headers()) {
            Some(key) => {
                let pending = hyper::upgrade::on(request);
                *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(pending);
                switching(&key)
            }
            None => plain(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket\n"),
        },
        (&Method::GET, "/health") => plain(StatusCode::OK, "ok\n"),
        _ => plain(StatusCode::NOT_FOUND, "not found\n"),
    }
}

/// The accept key for a request that asks for a WebSocket (RFC 6455 section 4.2.1).
fn accept_key(headers: &HeaderMap) -> Option<String> {
    let has = |name: HeaderName, wanted: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(wanted)))
    };
    let asked = has(CONNECTION, "upgrade") && has(UPGRADE, "websocket") && has(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asked)?;
    Some(derive_accept_key(key.as_bytes()))
}

fn switching(key: &str) -> Answer {
    let mut answer = plain(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    match HeaderValue::from_str(key) {
        Ok(key) => headers.insert(SEC_WEBSOCKET_ACCEPT, key),
        Err(_) => return plain(StatusCode::BAD_REQUEST, "bad key\n"),
    };
    answer
}

pub(super) fn plain(status: StatusCode, text: &'static str) -> Answer {
    let text = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {});
    let mut answer = Response::new(text.boxed_unsync());
    *answer.status_mut() = status;
    answer
}

/// An answer whose body comes as it is read.
pub(super) fn stream(frames: impl Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static) -> Answer {
    Response::new(StreamBody::new(frames).boxed_unsync())
}

async fn websocket(upgrade: OnUpgrade, exporter: [u8; 32], shared: Arc<Shared>) -> Option<Opened> {
    let upgraded = upgrade.await.ok()?;
    let channel = fresh_channel(exporter)?;
    // The stream as it was, without hyper's layers over it: they would cost memory and time for its whole life.
    let parts = upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>().ok()?;
    let socket = WebSocket::over(parts.io.into_inner(), &parts.read_buf).await;
    Some(Box::pin(task::run(socket, shared, channel)))
}

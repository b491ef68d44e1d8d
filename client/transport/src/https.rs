//! Blobs over HTTPS (rules `BLB-3`, `BLB-4`): one HTTP/1.1 request on a connection of its own, over the same pinned TLS
//! as frames. Bytes pass through in parts; nothing is kept whole.

use crate::dial::{Reached, Target, reach_tls};
use crate::error::TransportError;
use crate::timing::Timing;
use aside_protocol::Hash;
use aside_protocol::request::BlobRef;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, HOST, HeaderMap, RANGE, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::io;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How much of a blob the relay has.
const UPLOAD_OFFSET: &str = "upload-offset";
/// After this long without a byte a transfer is given up; it goes on where it was.
const STALLED: Duration = Duration::from_secs(60);

/// Why a transfer did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The way to the relay.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// It broke off.
    #[error("the connection broke off in the middle of a file: {0}; it goes on where it was")]
    Broken(String),
    /// The relay has no such blob.
    #[error("the relay does not have it any more; ask for it to be sent again")]
    NotFound,
    /// The token is not good, or not any more.
    #[error("the relay does not remember that it may be uploaded; it is asked again")]
    NoLeave,
    /// The relay has so much.
    #[error("the upload goes on at {0}")]
    Elsewhere(u64),
    /// The relay has all bytes, and they are not those of the id.
    #[error("what was uploaded is not the file that was announced; it starts over")]
    WrongBytes,
    /// The relay's disk.
    #[error("the relay cannot store more; tell its host that its disk may be full")]
    Full,
    /// Too many transfers at a time.
    #[error("the relay has too many transfers at a time; trying again")]
    Busy(Duration),
    /// Anything else.
    #[error("the relay answered {0} to a transfer; update aside, or tell the relay's host")]
    Status(u16),
}

/// How an upload stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploaded {
    /// The relay has all of it, verified.
    Complete,
    /// The relay has so much.
    Part(u64),
}

/// Where to ask, and how patiently.
#[derive(Debug, Clone)]
pub struct Https {
    target: Target,
    timing: Timing,
}

/// A connection for one request; ends when dropped.
struct Connection {
    sender: http1::SendRequest<Sent>,
    driver: JoinHandle<()>,
}

type Sent = UnsyncBoxBody<Bytes, io::Error>;

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Https {
    /// At a relay.
    pub fn new(target: Target, timing: Timing) -> Self {
        Self { target, timing }
    }

    /// How much of an unfinished upload the relay has.
    ///
    /// # Errors
    /// [`BlobError::NoLeave`] if the token is not good; else what the network or the relay says.
    pub async fn offset(&self, blob: &BlobRef, token: &[u8]) -> Result<Uploaded, BlobError> {
        let request = request(Method::HEAD, &blob.id).header(AUTHORIZATION, bearer(token));
        let (_connection, answer) = self.ask(request, empty()).await?;
        match answer.status() {
            StatusCode::OK => Ok(Uploaded::Complete),
            StatusCode::NO_CONTENT => Ok(Uploaded::Part(offset_in(answer.headers())?)),
            StatusCode::NOT_FOUND => Err(BlobError::NoLeave),
            _ => Err(refused(&answer)),
        }
    }

    /// Uploads what a blob has from `from` on; `source` gives exactly these bytes. A relay that has another part of it
    /// says so: [`BlobError::Elsewhere`].
    ///
    /// # Errors
    /// What the network, the relay or the source says.
    pub async fn upload(
        &self,
        blob: &BlobRef,
        token: &[u8],
        from: u64,
        source: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<Uploaded, BlobError> {
        let last = blob.size.saturating_sub(1);
        let request = request(Method::PUT, &blob.id)
            .header(AUTHORIZATION, bearer(token))
            .header(CONTENT_RANGE, format!("bytes {from}-{last}/{}", blob.size))
            .header(CONTENT_LENGTH, blob.size.saturating_sub(from));
        let body = StreamBody::new(source.map(|part| part.map(Frame::data))).boxed_unsync();
        let (_connection, answer) = self.ask(request, body).await?;
        match answer.status() {
            StatusCode::CREATED => Ok(Uploaded::Complete),
            StatusCode::NO_CONTENT => Ok(Uploaded::Part(offset_in(answer.headers())?)),
            StatusCode::UNAUTHORIZED => Err(BlobError::NoLeave),
            StatusCode::CONFLICT => Err(BlobError::Elsewhere(offset_in(answer.headers())?)),
            StatusCode::UNPROCESSABLE_ENTITY => Err(BlobError::WrongBytes),
            _ => Err(refused(&answer)),
        }
    }

    /// Begins to fetch what a blob has from `from` on.
    ///
    /// # Errors
    /// [`BlobError::NotFound`] if the relay does not have it whole; else what the network or the relay says.
    pub async fn download(&self, blob: &BlobRef, from: u64) -> Result<Download, BlobError> {
        let request = request(Method::GET, &blob.id).header(RANGE, format!("bytes={from}-"));
        let (connection, answer) = self.ask(request, empty()).await?;
        let left = blob.size.saturating_sub(from);
        let fits = match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let wanted = format!("bytes {from}-{}/{}", blob.size.saturating_sub(1), blob.size);
                answer.headers().get(CONTENT_RANGE).is_some_and(|range| range.as_bytes() == wanted.as_bytes())
            }
            StatusCode::OK => from == 0,
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => return Err(BlobError::NotFound),
            _ => return Err(refused(&answer)),
        };
        if !fits {
            return Err(BlobError::Broken("the relay sent another part than was asked for".into()));
        }
        Ok(Download { body: answer.into_body(), left, _connection: connection })
    }

    async fn ask(
        &self,
        request: hyper::http::request::Builder,
        body: Sent,
    ) -> Result<(Connection, Response<Incoming>), BlobError> {
        let mut connection = self.connect().await?;
        let request = request.body(body).map_err(|error| BlobError::Broken(error.to_string()))?;
        let answer = connection.sender.send_request(request).await.map_err(|error| broken(&error))?;
        Ok((connection, answer))
    }

    async fn connect(&self) -> Result<Connection, BlobError> {
        let Reached { stream, address } = reach_tls(&self.target, self.timing).await?;
        let (sender, connection) = timeout(self.timing.handshake, http1::handshake(TokioIo::new(stream)))
            .await
            .map_err(|_| TransportError::Silent)?
            .map_err(|error| TransportError::NotARelay { address, why: error.to_string() })?;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection for a blob ended");
            }
        });
        Ok(Connection { sender, driver })
    }
}

/// The bytes of a blob as they come.
pub struct Download {
    body: Incoming,
    left: u64,
    _connection: Connection,
}

impl Download {
    /// The next bytes; `None` when all have come. Never more than the blob has.
    ///
    /// # Errors
    /// If the connection breaks off or stands still, or the relay sends more than it should.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        while self.left > 0 {
            let frame = timeout(STALLED, self.body.frame()).await.map_err(|_| TransportError::Silent)?;
            let frame = match frame {
                Some(frame) => frame.map_err(|error| broken(&error))?,
                None => return Err(BlobError::Broken("it ended early".into())),
            };
            let Ok(bytes) = frame.into_data() else { continue };
            if bytes.is_empty() {
                continue;
            }
            let left = self.left.checked_sub(bytes.len() as u64);
            self.left = left.ok_or_else(|| BlobError::Broken("the relay sent more than the file has".into()))?;
            return Ok(Some(bytes));
        }
        Ok(None)
    }
}

fn request(method: Method, id: &Hash) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(format!("/v1/blob/{}", id.to_hex())).header(HOST, crate::tls::NODE_NAME)
}

fn bearer(token: &[u8]) -> String {
    format!("Bearer {}", data_encoding::BASE64URL_NOPAD.encode(token))
}

fn empty() -> Sent {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn offset_in(headers: &HeaderMap) -> Result<u64, BlobError> {
    let text = headers.get(UPLOAD_OFFSET).and_then(|value| value.to_str().ok());
    let offset = text.and_then(|text| text.parse().ok());
    offset.ok_or_else(|| BlobError::Broken("the relay did not say how much it has".into()))
}

fn refused(answer: &Response<Incoming>) -> BlobError {
    match answer.status() {
        StatusCode::NOT_FOUND => BlobError::NotFound,
        StatusCode::INSUFFICIENT_STORAGE => BlobError::Full,
        StatusCode::SERVICE_UNAVAILABLE => {
            let text = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let seconds: u64 = text.and_then(|text| text.parse().ok()).unwrap_or(1);
            BlobError::Busy(Duration::from_secs(seconds.min(60)))
        }
        status => BlobError::Status(status.as_u16()),
    }
}

fn broken(error: &hyper::Error) -> BlobError {
    BlobError::Broken(error.to_string())
}

//! Blobs over HTTP: `PUT`, `HEAD` and `GET` of `/v1/blob/<id>` (rules `BLB-3`, `BLB-4`). Bytes pass through in parts.

use super::http::{Answer, Moving, plain, stream};
use crate::blobs::{self, Leave, UploadError};
use crate::server::Shared;
use aside_protocol::Hash;
use aside_protocol::request::BlobRef;
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, RANGE, RETRY_AFTER,
};
use hyper::{Method, Request, StatusCode};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Hashed and written at a time.
const BATCH: usize = 256 << 10;
/// Nothing arrives for this long: the upload is left where it is.
const IDLE: Duration = Duration::from_secs(30);
/// How much of a blob the relay has.
pub const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// Seconds a client waits when there are too many transfers.
const PATIENCE: HeaderValue = HeaderValue::from_static("2");

/// Where blobs are.
pub const PREFIX: &str = "/v1/blob/";

/// Answers a request below [`PREFIX`].
pub async fn serve(request: Request<Incoming>, shared: Arc<Shared>, moving: Arc<Moving>) -> Answer {
    let id = request.uri().path().strip_prefix(PREFIX).and_then(lower_hex);
    let Some(id) = id else {
        return plain(StatusCode::NOT_FOUND, "not found\n");
    };
    match *request.method() {
        Method::GET => get(&id, request.headers(), &shared, moving).await,
        Method::HEAD => head(&id, request.headers(), &shared).await,
        Method::PUT => put(&id, request, shared, moving).await,
        _ => plain(StatusCode::METHOD_NOT_ALLOWED, "only GET, HEAD and PUT\n"),
    }
}

/// One name for each blob: capitals are none.
fn lower_hex(text: &str) -> Option<Hash> {
    Hash::from_hex(text).filter(|id| id.to_hex() == text)
}

async fn size_of(id: &Hash, shared: &Shared) -> Result<Option<u64>, Answer> {
    let id = *id;
    let found = blobs::read(shared, move |view| view.blob(&id)).await;
    found.ok_or_else(|| plain(StatusCode::SERVICE_UNAVAILABLE, "the relay cannot read its database\n"))
}

async fn get(id: &Hash, headers: &HeaderMap, shared: &Shared, moving: Arc<Moving>) -> Answer {
    let size = match size_of(id, shared).await {
        Ok(Some(size)) => size,
        Ok(None) => return plain(StatusCode::NOT_FOUND, "not found\n"),
        Err(answer) => return answer,
    };
    let Ok(room) = shared.blobs.downloading.clone().try_acquire_owned() else {
        return busy();
    };
    let range = match wanted(headers, size) {
        Wanted::All => None,
        Wanted::Part(from, to) => Some((from, to)),
        Wanted::Nothing => return unsatisfiable(size),
    };
    let (from, to) = range.unwrap_or((0, size));
    let bytes = match shared.blobs.read(id, from, to).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::error!(?id, %error, "a blob cannot be read");
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "the blob cannot be read\n");
        }
    };
    let busy = moving.begin();
    let frames = bytes.map(move |part| {
        let _held = &room;
        part.map(|part| {
            busy.moved(part.len());
            Frame::data(part)
        })
    });
    let mut answer = stream(frames);
    describe(answer.headers_mut(), id, to - from);
    if let Some((from, to)) = range {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(answer.headers_mut(), CONTENT_RANGE, &format!("bytes {from}-{}/{size}", to - 1));
    }
    answer
}

/// The size of what is complete; to who may upload it, how much of it is here.
async fn head(id: &Hash, headers: &HeaderMap, shared: &Shared) -> Answer {
    let size = match size_of(id, shared).await {
        Ok(size) => size,
        Err(answer) => return answer,
    };
    let mut answer = plain(StatusCode::OK, "");
    match (size, leave(id, headers, shared)) {
        (Some(size), _) => {
            describe(answer.headers_mut(), id, size);
            set(answer.headers_mut(), UPLOAD_OFFSET, &size.to_string());
        }
        (None, Some(leave)) => {
            *answer.status_mut() = StatusCode::NO_CONTENT;
            set(answer.headers_mut(), UPLOAD_OFFSET, &shared.blobs.offset(&leave.blob).to_string());
        }
        (None, None) => return plain(StatusCode::NOT_FOUND, ""),
    }
    answer
}

async fn put(id: &Hash, request: Request<Incoming>, shared: Arc<Shared>, moving: Arc<Moving>) -> Answer {
    let Some(Leave { blob, .. }) = leave(id, request.headers(), &shared) else {
        return plain(StatusCode::UNAUTHORIZED, "ask the relay for leave to upload\n");
    };
    let Some((from, to)) = content_range(request.headers(), blob.size) else {
        return plain(StatusCode::BAD_REQUEST, "Content-Range: bytes from-to/size is needed\n");
    };
    match size_of(id, &shared).await {
        Ok(None) => {}
        Ok(Some(size)) => return here(StatusCode::CREATED, size, "complete\n"),
        Err(answer) => return answer,
    }
    let Ok(_room) = shared.blobs.uploading.clone().try_acquire_owned() else {
        return busy();
    };
    let busy = moving.begin();
    let ended = receive(&blob, (from, to), request.into_body(), &shared, |moved| busy.moved(moved)).await;
    let offset = shared.blobs.offset(&blob);
    match ended {
        Ok(Received::Whole) => here(StatusCode::CREATED, blob.size, "complete\n"),
        Ok(Received::Part) => here(StatusCode::NO_CONTENT, offset, ""),
        Ok(Received::Otherwise) => here(StatusCode::BAD_REQUEST, offset, "not the bytes that were announced\n"),
        Err(UploadError::Elsewhere) => here(StatusCode::CONFLICT, offset, "go on at the offset\n"),
        Err(UploadError::WrongHash) => {
            here(StatusCode::UNPROCESSABLE_ENTITY, 0, "the bytes are not those of this id\n")
        }
        Err(UploadError::Failed(error)) => failed(&blob, &error, offset),
    }
}

/// How a body ended.
enum Received {
    /// The blob is complete.
    Whole,
    /// More is to come.
    Part,
    /// Shorter or longer than announced, or it broke off.
    Otherwise,
}

async fn receive(
    blob: &BlobRef,
    (from, to): (u64, u64),
    mut body: Incoming,
    shared: &Arc<Shared>,
    moved: impl Fn(usize),
) -> Result<Received, UploadError> {
    let mut turn = shared.blobs.upload(blob).take(from).await?;
    let (mut left, mut batch, mut weight) = (to - from, Vec::new(), 0);
    loop {
        let part = tokio::select! {
            part = next(&mut body) => part,
            () = turn.superseded() => return Err(UploadError::Elsewhere),
        };
        let length = part.as_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length as u64) else {
            return Ok(Received::Otherwise);
        };
        (left, weight) = (rest, weight + length);
        moved(length);
        let ended = part.is_none() || left == 0;
        batch.extend(part);
        if weight >= BATCH || (ended && weight > 0) {
            turn.append(std::mem::take(&mut batch)).await?;
            weight = 0;
        }
        if ended {
            break;
        }
    }
    match left {
        // What follows the announced bytes is not looked at; HTTP has framed it.
        0 if turn.is_whole() => turn.finish(shared.clone()).await.map(|()| Received::Whole),
        0 => Ok(Received::Part),
        _ => Ok(Received::Otherwise),
    }
}

/// The next bytes; none at the end, or when the sender is gone or silent.
async fn next(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = timeout(IDLE, body.frame()).await.ok()??.ok()?;
        if let Ok(bytes) = frame.into_data()
            && !bytes.is_empty()
        {
            return Some(bytes);
        }
    }
}

fn failed(blob: &BlobRef, error: &io::Error, offset: u64) -> Answer {
    tracing::error!(id = ?blob.id, %error, "an upload cannot be stored");
    let full =
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge);
    let status = if full { StatusCode::INSUFFICIENT_STORAGE } else { StatusCode::INTERNAL_SERVER_ERROR };
    here(status, offset, "the relay cannot store it; its disk may be full\n")
}

fn busy() -> Answer {
    let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, "too many transfers at a time; try again\n");
    answer.headers_mut().insert(RETRY_AFTER, PATIENCE);
    answer
}

fn unsatisfiable(size: u64) -> Answer {
    let mut answer = plain(StatusCode::RANGE_NOT_SATISFIABLE, "there is no such part\n");
    set(answer.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"));
    answer
}

fn here(status: StatusCode, offset: u64, text: &'static str) -> Answer {
    let mut answer = plain(status, text);
    set(answer.headers_mut(), UPLOAD_OFFSET, &offset.to_string());
    answer
}

/// Headers of a blob's bytes: they never change, so anybody may keep them.
fn describe(headers: &mut HeaderMap, id: &Hash, length: u64) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400, immutable"));
    set(headers, ETAG, &format!("\"{}\"", id.to_hex()));
    set(headers, CONTENT_LENGTH, &length.to_string());
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn leave(id: &Hash, headers: &HeaderMap, shared: &Shared) -> Option<Leave> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let token = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    shared.blobs.leave(&token, id, shared.now().wall)
}

/// `bytes from-to/size`, both ends included, as first byte and end.
fn content_range(headers: &HeaderMap, size: u64) -> Option<(u64, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, of) = text.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, of) = (number(first)?, number(last)?, number(of)?);
    (of == size && first <= last && last < size).then_some((first, last + 1))
}

/// What a request wants of a blob.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(u64, u64),
    Nothing,
}

/// One range is served. What cannot be read as one, several among it, is as if it were not there (RFC 9110).
fn wanted(headers: &HeaderMap, size: u64) -> Wanted {
    let mut values = headers.get_all(RANGE).iter();
    let text = values.next().and_then(|value| value.to_str().ok()).filter(|_| values.next().is_none());
    let Some((first, last)) = text.and_then(|text| text.strip_prefix("bytes=")?.trim().split_once('-')) else {
        return Wanted::All;
    };
    match (first, number(first), last, number(last)) {
        ("", _, _, Some(most)) if most > 0 => Wanted::Part(size.saturating_sub(most), size),
        ("", _, _, Some(_)) => Wanted::Nothing,
        (_, Some(from), "", _) if from < size => Wanted::Part(from, size),
        (_, Some(from), _, Some(to)) if from <= to && from < size => Wanted::Part(from, to.saturating_add(1).min(size)),
        (_, Some(from), _, Some(to)) if from > to => Wanted::All,
        (_, Some(_), "", _) | (_, Some(_), _, Some(_)) => Wanted::Nothing,
        _ => Wanted::All,
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn one_range_is_read_and_anything_else_means_all() {
        let cases = [
            ("bytes=0-9", Wanted::Part(0, 10)),
            ("bytes=90-", Wanted::Part(90, 100)),
            ("bytes=90-1000", Wanted::Part(90, 100)),
            ("bytes=-5", Wanted::Part(95, 100)),
            ("bytes=-500", Wanted::Part(0, 100)),
            ("bytes=99-99", Wanted::Part(99, 100)),
            ("bytes=100-", Wanted::Nothing),
            ("bytes=100-200", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=9-0", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=99999999999999999999-", Wanted::All),
            ("lines=1-2", Wanted::All),
        ];
        for (text, range) in cases {
            assert_eq!(wanted(&with(RANGE, text), 100), range, "{text}");
        }
    }

    #[test]
    fn an_upload_says_where_its_bytes_belong() {
        assert_eq!(content_range(&with(CONTENT_RANGE, "bytes 5-9/10"), 10), Some((5, 10)));
        for wrong in ["bytes 5-10/10", "bytes 5-4/10", "bytes 5-9/11", "bytes 5-9/*", "5-9/10", "bytes -5-9/10", ""] {
            assert_eq!(content_range(&with(CONTENT_RANGE, wrong), 10), None, "{wrong}");
        }
    }
}

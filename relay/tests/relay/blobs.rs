//! Blobs over HTTPS: uploads in parts and over restarts, ranges, quota, and requests that are wrong.

use crate::client::{Client, Transport, tls};
use crate::people::{Person, Running};
use aside_protocol::Hash;
use aside_protocol::Refusal;
use aside_protocol::refusal::TooLarge;
use aside_protocol::request::{Answer, BlobRef, Request, Upload, Uploading};
use aside_relay_core::BlobLimits;
use data_encoding::BASE64URL_NOPAD;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer of the relay's, taken apart.
pub struct Got {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn offset(&self) -> u64 {
        self.header("upload-offset").unwrap().parse().unwrap()
    }
}

pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
}

pub fn of(bytes: &[u8]) -> BlobRef {
    BlobRef { id: Hash::of(bytes), size: bytes.len() as u64 }
}

async fn ask(relay: &Running, head: &str, body: &[u8]) -> Got {
    let mut stream = connect(relay).await;
    let text = format!("{head}\r\nHost: aside-relay\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(text.as_bytes()).await.unwrap();
    // A relay that refuses does not wait for the body.
    let _ = stream.write_all(body).await;
    answer(&mut stream, head.starts_with("HEAD")).await
}

async fn connect(relay: &Running) -> TlsStream<TcpStream> {
    tls(&relay.invite().await).await
}

async fn answer(stream: &mut TlsStream<TcpStream>, bare: bool) -> Got {
    let mut all = Vec::new();
    let split = |all: &[u8]| all.windows(4).position(|four| four == b"\r\n\r\n");
    loop {
        let mut part = [0; 65_536];
        let read = timeout(PATIENCE, stream.read(&mut part)).await.expect("an answer in time").unwrap_or(0);
        all.extend_from_slice(&part[..read]);
        let Some(end) = split(&all) else {
            assert!(read > 0, "the relay closed without an answer: {:?}", String::from_utf8_lossy(&all));
            continue;
        };
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = all[end + 4..].to_vec();
        let got = Got { status, head, body };
        let length = got.header("content-length").map_or(0, |length| length.parse().unwrap());
        if bare || read == 0 || got.body.len() >= length {
            return got;
        }
    }
}

pub async fn leave(client: &mut Client, blob: BlobRef) -> Uploading {
    match client.ask(Request::Upload(Upload { blob })).await {
        Answer::Uploading(leave) => leave,
        other => panic!("no leave: {other:?}"),
    }
}

fn put_head(blob: &BlobRef, leave: &Uploading, from: usize, to: usize) -> String {
    let token = BASE64URL_NOPAD.encode(&leave.token);
    format!(
        "PUT /v1/blob/{} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Range: bytes {from}-{}/{}",
        blob.id.to_hex(),
        to - 1,
        blob.size
    )
}

pub async fn put(relay: &Running, leave: &Uploading, all: &[u8], from: usize, to: usize) -> Got {
    ask(relay, &put_head(&of(all), leave, from, to), &all[from..to]).await
}

pub async fn get(relay: &Running, id: &Hash, range: &str) -> Got {
    ask(relay, &format!("GET /v1/blob/{} HTTP/1.1{range}", id.to_hex()), b"").await
}

async fn head(relay: &Running, id: &Hash, leave: Option<&Uploading>) -> Got {
    let token = leave.map(|leave| format!("\r\nAuthorization: Bearer {}", BASE64URL_NOPAD.encode(&leave.token)));
    ask(relay, &format!("HEAD /v1/blob/{} HTTP/1.1{}", id.to_hex(), token.unwrap_or_default()), b"").await
}

async fn started() -> (Running, Client) {
    let relay = Running::start(Transport::WebSocket).await;
    let client = relay.join(&Person::new("alice")).await;
    (relay, client)
}

#[tokio::test]
async fn what_was_uploaded_is_served_whole_and_in_parts() {
    let (relay, mut client) = started().await;
    let all = bytes(700_000);
    let blob = of(&all);
    let may = leave(&mut client, blob).await;
    assert_eq!(may.offset, 0);
    assert_eq!(get(&relay, &blob.id, "").await.status, 404, "not before it is complete");
    assert_eq!(put(&relay, &may, &all, 0, 700_000).await.status, 201);
    let whole = get(&relay, &blob.id, "").await;
    assert_eq!((whole.status, whole.body == all), (200, true));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let part = get(&relay, &blob.id, "\r\nRange: bytes=600000-").await;
    assert_eq!((part.status, part.body == all[600_000..]), (206, true));
    assert_eq!(part.header("content-range"), Some("bytes 600000-699999/700000"));
    let beyond = get(&relay, &blob.id, "\r\nRange: bytes=700000-").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */700000")));
    assert_eq!(leave(&mut client, blob).await.offset, 700_000, "it need not come again");
    assert_eq!(head(&relay, &blob.id, None).await.header("content-length"), Some("700000"));
    assert_eq!(put(&relay, &may, &all, 0, 10).await.status, 201, "nor is it taken again");
}

#[tokio::test]
async fn an_upload_in_parts_goes_on_after_the_relay_ended() {
    let (relay, mut client) = started().await;
    let all = bytes(900_000);
    let blob = of(&all);
    let may = leave(&mut client, blob).await;
    let part = put(&relay, &may, &all, 0, 400_000).await;
    assert_eq!((part.status, part.offset()), (204, 400_000));
    assert_eq!(head(&relay, &blob.id, Some(&may)).await.offset(), 400_000);
    assert_eq!(head(&relay, &blob.id, None).await.status, 404, "strangers learn nothing of it");
    drop(client);
    let relay = relay.restart().await;
    let mut client = relay.login(&Person::new("alice"), 0).await;
    assert_eq!(head(&relay, &blob.id, Some(&may)).await.offset(), 400_000, "its leave is still good");
    assert_eq!(leave(&mut client, blob).await.offset, 400_000);
    assert_eq!(put(&relay, &may, &all, 400_000, 900_000).await.status, 201);
    assert!(get(&relay, &blob.id, "").await.body == all);
}

#[tokio::test]
async fn what_broke_off_stays_and_the_last_byte_comes_again_after_a_crash() {
    let (relay, mut client) = started().await;
    let all = bytes(600_000);
    let blob = of(&all);
    let may = leave(&mut client, blob).await;
    let mut stream = connect(&relay).await;
    let head_of = put_head(&blob, &may, 0, 600_000);
    stream.write_all(format!("{head_of}\r\nHost: x\r\nContent-Length: 600000\r\n\r\n").as_bytes()).await.unwrap();
    stream.write_all(&all[..300_000]).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    let offset = loop {
        let offset = leave(&mut client, blob).await.offset;
        if offset == 300_000 {
            break offset;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(put(&relay, &may, &all, offset as usize, 599_999).await.status, 204);
    drop(client);
    // As a crash leaves it that came after the last byte and before the object.
    let folder = relay.folder.path().join("data/blobs/partial");
    relay.server.stop().await;
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, &all).unwrap();
    let relay = Running::on(relay.folder, Transport::WebSocket, |_| {}).await;
    let mut client = relay.login(&Person::new("alice"), 0).await;
    let may = leave(&mut client, blob).await;
    assert_eq!(may.offset, 599_999);
    assert_eq!(put(&relay, &may, &all, 599_999, 600_000).await.status, 201);
    assert!(get(&relay, &blob.id, "").await.body == all);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[tokio::test]
async fn other_bytes_than_the_id_says_are_thrown_away() {
    let (relay, mut client) = started().await;
    let (all, mut wrong) = (bytes(50_000), bytes(50_000));
    wrong[777] ^= 1;
    let may = leave(&mut client, of(&all)).await;
    let range = put_head(&of(&all), &may, 0, 50_000);
    let refused = ask(&relay, &range, &wrong).await;
    assert_eq!((refused.status, refused.offset()), (422, 0));
    assert_eq!(get(&relay, &of(&all).id, "").await.status, 404);
    assert_eq!(put(&relay, &may, &all, 0, 50_000).await.status, 201);
}

#[tokio::test]
async fn an_upload_goes_on_only_where_it_stands() {
    let (relay, mut client) = started().await;
    let all = bytes(50_000);
    let may = leave(&mut client, of(&all)).await;
    let early = put(&relay, &may, &all, 10_000, 50_000).await;
    assert_eq!((early.status, early.offset()), (409, 0));
    put(&relay, &may, &all, 0, 20_000).await;
    let again = put(&relay, &may, &all, 0, 20_000).await;
    assert_eq!((again.status, again.offset()), (409, 20_000));
    assert_eq!(put(&relay, &may, &all, 20_000, 50_000).await.status, 201);
}

#[tokio::test]
async fn a_newer_request_takes_an_upload_over() {
    let (relay, mut client) = started().await;
    let all = bytes(50_000);
    let may = leave(&mut client, of(&all)).await;
    let mut stale = connect(&relay).await;
    let head_of = put_head(&of(&all), &may, 0, 50_000);
    stale.write_all(format!("{head_of}\r\nHost: x\r\nContent-Length: 50000\r\n\r\n").as_bytes()).await.unwrap();
    stale.flush().await.unwrap();
    assert_eq!(put(&relay, &may, &all, 0, 50_000).await.status, 201, "it does not wait for the silent one");
    // The silent one is told, or goes on to hear that the blob is complete, if it was taken up only now.
    let _ = stale.write_all(&all).await;
    let told = answer(&mut stale, false).await.status;
    assert!([409, 201].contains(&told), "{told}");
}

#[tokio::test]
async fn two_people_may_upload_the_same_and_the_second_need_not() {
    let (relay, mut alice) = started().await;
    let mut bob = relay.join(&Person::new("bob")).await;
    let all = bytes(50_000);
    let (hers, his) = (leave(&mut alice, of(&all)).await, leave(&mut bob, of(&all)).await);
    put(&relay, &hers, &all, 0, 20_000).await;
    assert_eq!(leave(&mut bob, of(&all)).await.offset, 20_000);
    assert_eq!(put(&relay, &his, &all, 20_000, 50_000).await.status, 201);
    assert_eq!(leave(&mut alice, of(&all)).await.offset, 50_000);
}

#[tokio::test]
async fn quota_and_longest_blob_are_the_hosts() {
    let blobs = BlobLimits { quota: 100_000, most: 60_000 };
    let relay = Running::with(Transport::WebSocket, |options| options.blobs = blobs).await;
    let mut client = relay.join(&Person::new("alice")).await;
    let blob = |size| BlobRef { id: Hash::of(&[size as u8]), size };
    leave(&mut client, blob(60_000)).await;
    for (size, limit) in [(60_001, 60_000), (40_001, 100_000)] {
        let refused = client.ask(Request::Upload(Upload { blob: blob(size) })).await;
        assert_eq!(refused, Answer::Refused(Refusal::TooLarge(TooLarge { limit })));
    }
    leave(&mut client, blob(40_000)).await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let (relay, mut client) = started().await;
    let all = bytes(1_000);
    let blob = of(&all);
    let (id, may) = (blob.id.to_hex(), leave(&mut client, blob).await);
    let token = BASE64URL_NOPAD.encode(&may.token);
    let long = "x".repeat(9_000);
    let other = Hash::of(b"other").to_hex();
    let cases = [
        (format!("GET /v1/blob/{} HTTP/1.1", id.to_uppercase()), 404),
        ("GET /v1/blob/ HTTP/1.1".to_owned(), 404),
        ("GET /v1/blob/../../identity.key HTTP/1.1".to_owned(), 404),
        (format!("GET /v1/blob/{id}/ HTTP/1.1"), 404),
        (format!("DELETE /v1/blob/{id} HTTP/1.1"), 405),
        (format!("PUT /v1/blob/{id} HTTP/1.1\r\nContent-Range: bytes 0-0/1000"), 401),
        (format!("PUT /v1/blob/{id} HTTP/1.1\r\nAuthorization: Bearer !!!\r\nContent-Range: bytes 0-0/1000"), 401),
        (format!("PUT /v1/blob/{id} HTTP/1.1\r\nAuthorization: Basic {token}"), 401),
        (
            format!("PUT /v1/blob/{other} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Range: bytes 0-0/1000"),
            401,
        ),
        (format!("PUT /v1/blob/{id} HTTP/1.1\r\nAuthorization: Bearer {token}"), 400),
        (format!("PUT /v1/blob/{id} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Range: bytes 0-0/2000"), 400),
        (format!("GET /v1/blob/{id} HTTP/1.1\r\nX-Long: {long}"), 431),
    ];
    for (head, status) in cases {
        assert_eq!(ask(&relay, &head, b"").await.status, status, "{head}");
    }
    let short = ask(&relay, &put_head(&blob, &may, 0, 1_000), &all[..400]).await;
    assert_eq!((short.status, short.offset()), (400, 400), "what came is kept");
    let rest = ask(&relay, &put_head(&blob, &may, 400, 900), &all[400..]).await;
    assert_eq!(rest.status, 400, "more than announced");
    assert_eq!(put(&relay, &may, &all, 400, 1_000).await.status, 201, "and nothing of it was taken");
}

//! What is not a frame at all: bytes that are not TLS, requests that are no WebSocket, headers without end.

use aside_tests::raw::{PATIENCE, tls};
use aside_tests::{Client, Relay, RelayOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What comes back until the relay closes.
async fn plain(relay: &Relay, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(relay.address()).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("closed in time");
    answer
}

async fn https(relay: &Relay, request: &str) -> String {
    let mut stream = tls(relay).await;
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("closed in time");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bytes_that_are_not_tls_end_at_once() {
    let relay = Relay::start(RelayOptions::default());
    let junk = [
        &b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        &[0; 70_000],
        &[0xff; 100],
        // A TLS record of the longest length whose handshake message is nonsense.
        &[[0x16, 3, 1, 0x40, 0].as_slice(), &[0xaa; 0x4000]].concat(),
    ];
    for bytes in junk {
        let answer = plain(&relay, bytes).await;
        // At most a TLS alert comes back, never a word of HTTP.
        assert!(answer.len() < 16 && !answer.starts_with(b"HTTP"), "{answer:?}");
    }
    Client::registered("alice", relay.first_invite());
    relay.finish();
}

#[tokio::test]
async fn requests_that_are_no_websocket_get_an_http_answer() {
    let relay = Relay::start(RelayOptions::default());
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(20_000));
    let many: String = (0..200).map(|i| format!("X-{i}: y\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let closing = |head: &str| format!("{head}Host: a\r\nConnection: close\r\n\r\n");
    let cases = [
        (closing("GET / HTTP/1.1\r\n"), "404"),
        (closing("POST /v1/ws HTTP/1.1\r\n"), "404"),
        (closing("GET /v1/ws HTTP/1.1\r\n"), "426"),
        (closing("GET /v2/ws HTTP/1.1\r\n"), "404"),
        // An upgrade without key, or of another version of WebSocket.
        (
            format!(
                "GET /v1/ws HTTP/1.1\r\nHost: a\r\n{upgrade}Sec-WebSocket-Version: 13\r\nConnection: close\r\n\r\n"
            ),
            "426",
        ),
        (
            format!(
                "GET /v1/ws HTTP/1.1\r\nHost: a\r\n{upgrade}Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AA==\r\nConnection: close\r\n\r\n"
            ),
            "426",
        ),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("\u{0}\u{1}\u{2}\r\n\r\n".to_owned(), "400"),
        (long, "4"),
        (many, "431"),
    ];
    for (request, status) in cases {
        let answer = https(&relay, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request:.80}: {answer:?}");
    }
    assert!(https(&relay, &closing("GET /health HTTP/1.1\r\n")).await.ends_with("\r\n\r\nok\n"));
    Client::registered("alice", relay.first_invite());
    relay.finish();
}

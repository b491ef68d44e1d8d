//! Frames that are wrong: a fault that names the rule, and a close where the state is lost.

use crate::client::{Transport, Unauthenticated, tls};
use crate::over_each;
use crate::people::{Person, Running, body, message};
use crate::registering::assert_fatal;
use aside_protocol::frame::{Ack, Asked, Attach, ClientFrame, Fault, Hello, Ping, RelayFrame};
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::login::Mode;
use aside_protocol::refusal::{Plain, TooLarge};
use aside_protocol::request::{Answer, Request, Send};
use aside_protocol::{ChatId, N, PartitionId, Pos, Refusal, Seq, codec};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn raw(relay: &Running, frame: impl Into<Bytes>) -> Unauthenticated {
    let mut connection = relay.connect().await;
    connection.socket.send(frame.into()).await;
    connection
}

async fn malformed_frames_are_fatal(via: Transport) {
    let relay = Running::start(via).await;
    assert_fatal(raw(&relay, &b"\xff\xff"[..]).await, "COD-2").await;
    assert_fatal(raw(&relay, Bytes::new()).await, "COD-2").await;
    assert_fatal(raw(&relay, vec![0x81; MAX_FRAME]).await, "COD-2").await;
}

#[tokio::test]
async fn a_text_message_is_fatal() {
    let relay = Running::start(Transport::WebSocket).await;
    let mut connection = relay.connect().await;
    connection.socket.text("hello").await;
    assert_fatal(connection, "FRM-1").await;
}

#[tokio::test]
async fn a_message_longer_than_a_frame_is_refused_by_its_header_alone() {
    let relay = Running::start(Transport::WebSocket).await;
    let mut stream = tls(&relay.invite().await).await;
    let request = "GET /v1/ws HTTP/1.1\r\nHost: aside-relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, b"HTTP/1.1 101");
    // A binary message of 2^40 bytes, of which none will come.
    stream.write_all(&[0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]).await.unwrap();
    let mut answer = Vec::new();
    // Nothing more will be read here: the relay closes once it has waited for us.
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("COD-1"), "{text}");
}

async fn before_the_login_only_hello_and_login_belong(via: Transport) {
    let relay = Running::start(via).await;
    let frames = [
        ClientFrame::Attach(Attach { cursors: vec![] }),
        ClientFrame::Ack(Ack { partition: PartitionId(0), pos: Pos(1) }),
        ClientFrame::Request(Asked { id: 1, request: message(ChatId([1; 32]), 1, Seq(0), "x") }),
        ClientFrame::Login(Person::new("alice").login(&relay.connect().await.transcript().await)),
    ];
    for frame in frames {
        let mut connection = relay.connect().await;
        connection.send(&frame).await;
        assert_fatal(connection, "FRM-3").await;
    }
    let mut twice = relay.connect().await;
    twice.transcript().await;
    twice.send(&ClientFrame::Hello(Unauthenticated::hello())).await;
    assert_fatal(twice, "FRM-3").await;
}

async fn a_hello_without_common_version_or_mode_is_fatal(via: Transport) {
    let relay = Running::start(via).await;
    let hellos = [
        ("CON-1", Hello { versions: vec![2, 3], ..Unauthenticated::hello() }),
        ("CON-2", Hello { mode: Mode::Proxied, ..Unauthenticated::hello() }),
        ("CON-3", Hello { versions: vec![1; 33], ..Unauthenticated::hello() }),
    ];
    for (rule, hello) in hellos {
        let mut connection = relay.connect().await;
        connection.send(&ClientFrame::Hello(hello)).await;
        assert_fatal(connection, rule).await;
    }
}

async fn unknown_frames_and_requests_are_answered_and_nothing_is_lost(via: Transport) {
    let relay = Running::start(via).await;
    let mut client = relay.join(&Person::new("alice")).await;
    client.socket.send(codec::encode(&(99u64, "whatever"))).await;
    assert_harmless(client.other().await, "FRM-4");
    client.socket.send(codec::encode(&(5u64, Unheard { id: 7, request: (99, 1) }))).await;
    assert_eq!(client.answer_to(7).await, Answer::Refused(Refusal::Unsupported(Plain {})));
    client.send(&ClientFrame::Ping(Ping {})).await;
    assert!(matches!(client.other().await, Some(RelayFrame::Pong(_))));
}

#[derive(serde::Serialize)]
struct Unheard {
    id: u64,
    request: (u64, u64),
}

async fn misplaced_frames_after_the_login_are_ignored_with_a_fault(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    let mut client = relay.join(&alice).await;
    client.attach_at(0).await;
    assert_harmless(client.other().await, "FRM-3");
    client.send(&ClientFrame::Hello(Unauthenticated::hello())).await;
    assert_harmless(client.other().await, "FRM-3");
    client.ack(Pos(1_000)).await;
    assert_harmless(client.other().await, "WIN-2");
    let long = Request::Send(Send { chat: ChatId([1; 32]), n: N(1), base: Seq(1), body: body(&vec![1; 70_000]) });
    assert_eq!(client.ask(long).await, Answer::Refused(Refusal::TooLarge(TooLarge { limit: 65_536 })));
    let stranger = message(ChatId([1; 32]), 1, Seq(1), "x");
    assert_eq!(client.ask(stranger).await, Answer::Refused(Refusal::NotMember(Plain {})));
}

fn assert_harmless(frame: Option<RelayFrame>, wanted: &str) {
    match frame {
        Some(RelayFrame::Fault(Fault { rule, fatal: false, .. })) => assert_eq!(rule, wanted),
        other => panic!("no harmless fault {wanted} but {other:?}"),
    }
}

#[tokio::test]
async fn http_answers_health_and_nothing_else() {
    let relay = Running::start(Transport::WebSocket).await;
    for (path, wanted) in [("/health", "200 OK"), ("/v1/ws", "426 "), ("/", "404 ")] {
        let mut stream = tls(&relay.invite().await).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: aside-relay\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {wanted}")), "{path}: {answer}");
        assert_eq!(answer.ends_with("\r\n\r\nok\n"), path == "/health");
    }
}

over_each!(
    malformed_frames_are_fatal,
    before_the_login_only_hello_and_login_belong,
    a_hello_without_common_version_or_mode_is_fatal,
    unknown_frames_and_requests_are_answered_and_nothing_is_lost,
    misplaced_frames_after_the_login_are_ignored_with_a_fault,
);

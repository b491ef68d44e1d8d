//! Frames that are too large, malformed, unknown, out of state, or from a device that is not logged in.

use aside_protocol::frame::{Ack, Asked, Attach, ClientFrame, Hello, Ping, RelayFrame};
use aside_protocol::invite::Invite;
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::login::Mode;
use aside_protocol::refusal::{Plain, TooLarge};
use aside_protocol::request::{Answer, Range, Request, Send};
use aside_protocol::{Body, ChatId, N, PartitionId, Pos, Refusal, Seq, encode};
use aside_tests::raw::{Person, Raw, hello};
use aside_tests::{Client, Relay, RelayOptions};
use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The relay still serves people, and ends in order.
fn still_serves(mut relay: Relay) {
    Client::registered("witness", relay.first_invite());
    let log = relay.process().log();
    assert!(!log.contains("panicked"), "{log}");
    relay.finish();
}

fn deep(depth: usize) -> Vec<u8> {
    // A ping with an unknown field of arrays inside arrays.
    let mut bytes = vec![0x82, 6, 0xa1, 0x62, b'z', b'z'];
    bytes.extend(vec![0x81; depth]);
    bytes.push(0xf6);
    bytes
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_names_its_rule_and_ends_the_connection() {
    let relay = Relay::start(RelayOptions::default());
    let whole = encode(&ClientFrame::Hello(hello()));
    let mut longer = whole.to_vec();
    longer.push(0);
    let binary = |bytes: Vec<u8>| Message::Binary(Bytes::from(bytes));
    let cases = [
        (binary(vec![]), "COD-2"),
        (binary(vec![0xff; 3]), "COD-2"),
        (binary(vec![0x80]), "COD-2"),
        (binary(whole[..whole.len() / 2].to_vec()), "COD-2"),
        (binary(longer), "COD-2"),
        (binary(deep(10_000)), "COD-2"),
        (binary(deep(MAX_FRAME - 8)), "COD-2"),
        (binary(vec![0x81; MAX_FRAME]), "COD-2"),
        // A byte string that says it has 2^62 bytes, and an array of as many items.
        (binary(vec![0x82, 0, 0x5b, 0x40, 0, 0, 0, 0, 0, 0, 0]), "COD-2"),
        (binary(vec![0x82, 0, 0x9b, 0x40, 0, 0, 0, 0, 0, 0, 0]), "COD-2"),
        (Message::Text("hello".into()), "FRM-1"),
    ];
    for (message, rule) in cases {
        let mut connection = Raw::connect(&relay).await;
        connection.message(message).await;
        connection.ends_with(rule).await;
    }
    still_serves(relay);
}

#[tokio::test]
async fn a_frame_that_is_too_large_is_refused_before_it_is_there() {
    let relay = Relay::start(RelayOptions::default());
    let mut whole = Raw::connect(&relay).await;
    // What the relay no longer reads may break the connection under the rest of it; only its answer counts.
    let _ = futures_util::SinkExt::send(&mut whole.socket, Message::Binary(vec![0; MAX_FRAME + 1].into())).await;
    Raw::faulted(whole.hear().await, "COD-1", true);
    // The same in parts, each of which is allowed.
    let mut parts = Raw::connect(&relay).await;
    let half = || Bytes::from(vec![0; MAX_FRAME / 2]);
    parts.message(Message::Frame(Frame::message(half(), OpCode::Data(Data::Binary), false))).await;
    let more = |last| Message::Frame(Frame::message(half(), OpCode::Data(Data::Continue), last));
    parts.message(more(false)).await;
    let _ = futures_util::SinkExt::send(&mut parts.socket, more(true)).await;
    Raw::faulted(parts.hear().await, "COD-1", true);
    still_serves(relay);
}

#[tokio::test]
async fn before_the_login_only_hello_login_and_ping_belong() {
    let relay = Relay::start(RelayOptions::default());
    let invite = Invite::from_link(relay.first_invite()).unwrap();
    let person = Person::new("alice");
    let transcript = Raw::connect(&relay).await.hello().await;
    let frames = [
        ClientFrame::Attach(Attach { cursors: vec![] }),
        ClientFrame::Ack(Ack { partition: PartitionId(0), pos: Pos(1) }),
        ClientFrame::Request(Asked { id: 1, request: nothing() }),
        ClientFrame::Login(person.login(&transcript)),
        ClientFrame::Register(person.registration(&transcript, &invite)),
    ];
    for frame in &frames {
        let mut connection = Raw::connect(&relay).await;
        connection.frame(frame).await;
        connection.ends_with("FRM-3").await;
    }
    // After the hello too, all but the last two.
    for frame in frames[..3].iter().chain([&ClientFrame::Hello(hello())]) {
        let mut connection = Raw::connect(&relay).await;
        connection.hello().await;
        connection.frame(frame).await;
        connection.ends_with("FRM-3").await;
    }
    still_serves(relay);
}

fn nothing() -> Request {
    Request::Range(Range { chat: ChatId([1; 32]), from: Seq(1), to: Seq(2) })
}

#[tokio::test]
async fn a_hello_that_does_not_fit_is_told_why() {
    let relay = Relay::start(RelayOptions::default());
    let hellos = [
        ("CON-1", Hello { versions: vec![], ..hello() }),
        ("CON-1", Hello { versions: vec![2, u64::MAX], ..hello() }),
        ("CON-2", Hello { mode: Mode::Proxied, ..hello() }),
        ("CON-2", Hello { mode: Mode::Other(9), ..hello() }),
        ("CON-3", Hello { versions: vec![1; 33], ..hello() }),
        ("CON-3", Hello { capabilities: vec![String::new(); 33], ..hello() }),
    ];
    for (rule, hello) in hellos {
        let mut connection = Raw::connect(&relay).await;
        connection.frame(&ClientFrame::Hello(hello)).await;
        connection.ends_with(rule).await;
    }
    still_serves(relay);
}

#[tokio::test]
async fn only_the_device_itself_logs_in_and_only_on_its_own_connection() {
    let relay = Relay::start(RelayOptions::default());
    let invite = Invite::from_link(relay.first_invite()).unwrap();
    let alice = Raw::connect(&relay).await.register("alice", &invite).await;
    // Another's key, and a device that the relay never saw: the same answer.
    let mallory = Person::new("mallory");
    let forged = Person { device: alice.device, ..Person::new("mallory") };
    for person in [&mallory, &forged] {
        let mut connection = Raw::connect(&relay).await;
        let transcript = connection.hello().await;
        connection.frame(&ClientFrame::Login(person.login(&transcript))).await;
        connection.ends_with("LOG-3").await;
    }
    // A genuine login, overheard on another connection: bound to that one's nonces and channel.
    let elsewhere = alice.login(&Raw::connect(&relay).await.hello().await);
    let mut replayed = Raw::connect(&relay).await;
    replayed.hello().await;
    replayed.frame(&ClientFrame::Login(elsewhere)).await;
    replayed.ends_with("LOG-3").await;
    // The same for a registration.
    let bob = Person::new("bob");
    let elsewhere = bob.registration(&Raw::connect(&relay).await.hello().await, &invite);
    let mut replayed = Raw::connect(&relay).await;
    replayed.hello().await;
    replayed.frame(&ClientFrame::Register(elsewhere)).await;
    replayed.ends_with("LOG-3").await;
    // And alice herself is let in.
    let mut genuine = Raw::connect(&relay).await;
    let transcript = genuine.hello().await;
    genuine.frame(&ClientFrame::Login(alice.login(&transcript))).await;
    assert!(matches!(genuine.hear().await, Some(RelayFrame::LoginOk(_))));
    still_serves(relay);
}

#[tokio::test]
async fn what_is_unknown_or_misplaced_after_the_login_costs_nothing() {
    let relay = Relay::start(RelayOptions::default());
    let invite = Invite::from_link(relay.first_invite()).unwrap();
    let mut connection = Raw::connect(&relay).await;
    let alice = connection.register("alice", &invite).await;
    connection.bytes(encode(&(99u64, vec!["to", "come"]))).await;
    connection.told("FRM-4").await;
    connection.frame(&ClientFrame::Ack(Ack { partition: PartitionId(0), pos: Pos(0) })).await;
    connection.told("FRM-3").await;
    connection.frame(&ClientFrame::Hello(hello())).await;
    connection.told("FRM-3").await;
    connection.frame(&ClientFrame::Attach(Attach { cursors: vec![] })).await;
    assert!(matches!(connection.hear().await, Some(RelayFrame::CaughtUp(_))));
    connection.frame(&ClientFrame::Attach(Attach { cursors: vec![] })).await;
    connection.told("FRM-3").await;
    connection.frame(&ClientFrame::Ack(Ack { partition: PartitionId(0), pos: Pos(u64::MAX >> 1) })).await;
    connection.told("WIN-2").await;
    connection.frame(&ClientFrame::Ack(Ack { partition: PartitionId(9), pos: Pos(0) })).await;
    connection.told("WIN-2").await;
    // Requests that cannot be are refused, each under its own number.
    let long = Request::Send(Send { chat: ChatId([1; 32]), n: N(1), base: Seq(1), body: Body::from(vec![1; 70_000]) });
    let refused = [
        (long, Refusal::TooLarge(TooLarge { limit: 65_536 })),
        (Request::Unknown(99), Refusal::Unsupported(Plain {})),
        (nothing(), Refusal::NotFound(Plain {})),
    ];
    for (id, (request, refusal)) in (1_000..).zip(refused) {
        connection.frame(&ClientFrame::Request(Asked { id, request })).await;
        match connection.hear().await {
            Some(RelayFrame::Answer(answered)) => {
                assert_eq!((answered.id, answered.answer), (id, Answer::Refused(refusal)));
            }
            other => panic!("no answer but {other:?}"),
        }
    }
    connection.frame(&ClientFrame::Ping(Ping {})).await;
    assert!(matches!(connection.hear().await, Some(RelayFrame::Pong(_))));
    // Before the login an unknown frame is harmless too: a newer client may try.
    let mut early = Raw::connect(&relay).await;
    early.bytes(encode(&(99u64, ()))).await;
    early.told("FRM-4").await;
    let transcript = early.hello().await;
    early.frame(&ClientFrame::Login(alice.login(&transcript))).await;
    assert!(matches!(early.hear().await, Some(RelayFrame::LoginOk(_))));
    still_serves(relay);
}

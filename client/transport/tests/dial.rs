//! Reaching the right relay, and telling the wrong ones apart.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use aside_protocol::Hash;
use aside_protocol::frame::GoodbyeReason;
use aside_protocol::login::{Mode, pin};
use aside_transport::{Target, Timing, Transport, TransportError, dial_with};
use common::{Act, Relay, by, by_with, certificates, fault, goodbye, identity, login_signature, public, timing};
use rcgen::KeyPair;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

async fn refusal(target: &Target, via: Transport) -> TransportError {
    dial_with(target, &by(via)).await.expect_err("must not connect")
}

/// A listener that says `bytes` to everybody and then waits.
async fn stranger(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(bytes).await;
            held.push(stream);
        }
    });
    address
}

/// An address where nobody listens: bound once, then closed.
async fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

async fn the_right_pin_connects(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let greeted = dial_with(&relay.target(), &by(via)).await.unwrap();
    assert_eq!(greeted.transcript().relay, relay.pin);
    assert_eq!(greeted.transcript().exporter.as_ref().unwrap().len(), 32);
    let signature = login_signature(&greeted);
    greeted.login(common::DEVICE, signature).await.unwrap();
}

async fn each_connection_has_its_own_exporter_and_nonce(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let one = dial_with(&relay.target(), &by(via)).await.unwrap();
    let two = dial_with(&relay.target(), &by(via)).await.unwrap();
    assert_ne!(one.transcript().exporter, two.transcript().exporter);
    assert!(!format!("{one:?}").contains("exporter"), "the channel's key material is not shown");
    assert_ne!(one.transcript().client_nonce, two.transcript().client_nonce);
}

async fn another_identity_is_not_trusted(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let target = Target { pin: Hash([1; 32]), ..relay.target() };
    let error = refusal(&target, via).await;
    assert_eq!(error, TransportError::WrongPin { address: relay.address.clone() });
    assert!(error.is_fatal());
}

async fn a_node_that_the_identity_did_not_sign_is_not_trusted(via: Transport) {
    // Whoever copies the relay's CA certificate, which is public, cannot sign a node with it.
    let other = identity();
    let relay = Relay::start_with(Act::Honest, certificates("aside-relay", identity(), Some(&other))).await;
    assert!(matches!(refusal(&relay.target(), via).await, TransportError::Tls { .. }));
}

async fn a_certificate_for_another_name_is_not_trusted(via: Transport) {
    let relay = Relay::start_with(Act::Honest, certificates("elsewhere", identity(), None)).await;
    assert!(matches!(refusal(&relay.target(), via).await, TransportError::Tls { .. }));
}

#[tokio::test]
async fn an_ordinary_tls_server_is_not_a_relay() {
    let made = certificates("aside-relay", KeyPair::generate().unwrap(), None);
    let pinned = pin(&public(&identity()));
    let ordinary = common::tls_only(made.config).await;
    let target = Target { addresses: vec![ordinary], pin: pinned, mode: Mode::Direct };
    let error = refusal(&target, Transport::WebSocket).await;
    assert!(matches!(error, TransportError::NotARelay { .. }), "{error}");
}

#[tokio::test]
async fn a_plain_text_server_is_not_a_relay() {
    let address = stranger(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let target = Target { addresses: vec![address], pin: Hash([0; 32]), mode: Mode::Direct };
    let error = refusal(&target, Transport::WebSocket).await;
    assert!(matches!(error, TransportError::NotARelay { .. }), "{error}");
    assert!(!error.is_fatal());
}

async fn a_server_that_hangs_is_given_up(via: Transport) {
    let quick = Timing { handshake: Duration::from_millis(100), ..timing() };
    let address = stranger(b"").await;
    let target = Target { addresses: vec![address], pin: Hash([0; 32]), mode: Mode::Direct };
    let error = dial_with(&target, &by_with(via, quick)).await.expect_err("hangs");
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
}

async fn a_relay_that_does_not_answer_the_hello_is_given_up(via: Transport) {
    let quick = Timing { handshake: Duration::from_millis(1_500), ..timing() };
    let relay = Relay::start(Act::NoHello).await;
    let error = dial_with(&relay.target(), &by_with(via, quick)).await.expect_err("hangs");
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
}

async fn the_relays_proof_must_hold_for_this_channel(via: Transport) {
    for act in [Act::BadProof, Act::OtherChannel] {
        let relay = Relay::start(act).await;
        assert_eq!(refusal(&relay.target(), via).await, TransportError::BadProof);
    }
}

async fn faults_and_goodbyes_to_a_hello_are_told(via: Transport) {
    let relay = Relay::start(Act::InsteadOfHello(fault("CON-1", true))).await;
    assert_eq!(refusal(&relay.target(), via).await, TransportError::NoCommonVersion);
    let relay = Relay::start(Act::InsteadOfHello(goodbye(GoodbyeReason::Full))).await;
    assert!(
        matches!(refusal(&relay.target(), via).await, TransportError::Goodbye(g) if g.reason == GoodbyeReason::Full)
    );
    let relay = Relay::start(Act::InsteadOfHello(common::login_ok())).await;
    assert!(matches!(refusal(&relay.target(), via).await, TransportError::Protocol(_)));
}

async fn the_next_address_is_tried(via: Transport) {
    let relay = Relay::start(Act::Honest).await;
    let other = Relay::start(Act::Honest).await;
    let mut target = relay.target();
    target.addresses.insert(0, nobody().await);
    target.addresses.insert(1, other.address.clone());
    dial_with(&target, &by(via)).await.unwrap();
}

/// A machine that is gone says nothing at all (rule `NOD-3`).
#[tokio::test]
async fn an_address_that_is_silent_holds_nobody_up() {
    let relay = Relay::start(Act::Honest).await;
    let mut target = relay.target();
    target.addresses.insert(0, stranger(b"").await);
    let hour = Duration::from_secs(3600);
    let patient = Timing { handshake: hour, connect: hour, next_address: Duration::from_millis(50), ..timing() };
    let greeted = dial_with(&target, &by_with(Transport::WebSocket, patient)).await.unwrap();
    assert_eq!(greeted.address(), relay.address);
}

/// Where nobody listens by TCP, QUIC may still be on its way, but nobody waits for it.
#[tokio::test]
async fn an_address_that_refuses_holds_nobody_up() {
    let relay = Relay::start(Act::Honest).await;
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut target = relay.target();
    target.addresses.insert(0, silent.local_addr().unwrap().to_string());
    let hour = Duration::from_secs(3600);
    let patient = Timing { handshake: hour, connect: hour, quic_alone: hour, next_address: hour, ..timing() };
    let plan = aside_transport::Plan { timing: patient, ..aside_transport::Plan::default() };
    assert_eq!(dial_with(&target, &plan).await.unwrap().address(), relay.address);
}

#[tokio::test]
async fn of_several_failures_one_that_may_pass_is_told() {
    let other = Relay::start(Act::Honest).await;
    let down = nobody().await;
    for addresses in [vec![down.clone(), other.address.clone()], vec![other.address.clone(), down.clone()]] {
        let target = Target { addresses, pin: Hash([0; 32]), mode: Mode::Direct };
        let error = refusal(&target, Transport::WebSocket).await;
        assert!(matches!(&error, TransportError::Unreachable { address, .. } if *address == down), "{error}");
    }
}

async fn unknown_names_missing_addresses_and_other_modes_are_refused(via: Transport) {
    let target = |addresses: Vec<String>, mode| Target { addresses, pin: Hash([0; 32]), mode };
    let unknown = refusal(&target(vec!["no-such-host.invalid:1".into()], Mode::Direct), via).await;
    assert!(matches!(unknown, TransportError::Unreachable { .. }));
    assert!(matches!(refusal(&target(vec![], Mode::Direct), via).await, TransportError::Protocol(_)));
    assert_eq!(refusal(&target(vec![], Mode::Proxied), via).await, TransportError::ModeNotSupported);
}

over_each!(
    the_right_pin_connects,
    each_connection_has_its_own_exporter_and_nonce,
    another_identity_is_not_trusted,
    a_node_that_the_identity_did_not_sign_is_not_trusted,
    a_certificate_for_another_name_is_not_trusted,
    a_server_that_hangs_is_given_up,
    a_relay_that_does_not_answer_the_hello_is_given_up,
    the_relays_proof_must_hold_for_this_channel,
    faults_and_goodbyes_to_a_hello_are_told,
    the_next_address_is_tried,
    unknown_names_missing_addresses_and_other_modes_are_refused,
);

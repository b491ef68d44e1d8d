//! What QUIC alone allows a client to try (rules `QUI-1` to `QUI-4`).

use crate::client::{Transport, Unauthenticated, quic};
use crate::people::{Person, Running};
use crate::registering::assert_fatal;
use crate::socket::{Quic, Socket};
use aside_protocol::frame::{ClientFrame, Ping, RelayFrame};
use aside_protocol::limits::MAX_FRAME;
use aside_protocol::login::QUIC_ALPN;
use aside_protocol::stream::head;
use quinn::{ConnectionError, SendDatagramError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

fn raw(connection: &mut Unauthenticated) -> &mut Quic {
    match &mut connection.socket {
        Socket::Quic(quic) => quic,
        Socket::WebSocket(_) => panic!("not over QUIC"),
    }
}

/// The relay still answers: a ping, on a connection of its own.
async fn assert_well(relay: &Running) {
    let mut connection = relay.connect().await;
    connection.send(&ClientFrame::Ping(Ping {})).await;
    assert!(matches!(connection.receive().await, Some(RelayFrame::Pong(_))));
}

#[tokio::test]
async fn datagrams_that_are_no_quic_are_ignored() {
    let relay = Running::start(Transport::Quic).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(relay.server.listen()).await.unwrap();
    let mut byte: u8 = 0;
    for len in [0, 1, 7, 21, 100, 1200, 1472, 9000, 65_000] {
        let garbage: Vec<u8> = std::iter::repeat_with(|| {
            byte = byte.wrapping_mul(167).wrapping_add(13);
            byte
        })
        .take(len)
        .collect();
        // As a short header, as a long one, and as it is.
        for first in [0x40, 0xc0, 0x17] {
            let mut garbage = garbage.clone();
            if let Some(byte) = garbage.first_mut() {
                *byte = first;
            }
            let _ = socket.send(&garbage).await;
        }
    }
    assert_well(&relay).await;
}

#[tokio::test]
async fn another_protocol_is_refused_in_the_handshake() {
    let relay = Running::start(Transport::Quic).await;
    let invite = relay.invite().await;
    for alpn in [&b"h3"[..], b"aside/2"] {
        let error = quic(&invite, alpn).await.expect_err("not ours");
        // 0x178: the alert no_application_protocol.
        assert!(matches!(&error, ConnectionError::ConnectionClosed(close) if u64::from(close.error_code) == 0x178));
    }
    assert_well(&relay).await;
}

#[tokio::test]
async fn there_is_one_stream_and_nothing_beside_it() {
    let relay = Running::start(Transport::Quic).await;
    let connection = quic(&relay.invite().await, QUIC_ALPN).await.unwrap();
    let _one = connection.open_bi().await.unwrap();
    assert!(timeout(Duration::from_millis(100), connection.open_bi()).await.is_err(), "a second stream");
    assert!(timeout(Duration::from_millis(100), connection.open_uni()).await.is_err(), "a one-way stream");
    let datagram = connection.send_datagram(vec![1].into());
    assert_eq!(datagram, Err(SendDatagramError::UnsupportedByPeer));
}

#[tokio::test]
async fn a_frame_longer_than_allowed_is_refused_by_its_length_alone() {
    let relay = Running::start(Transport::Quic).await;
    for len in [MAX_FRAME + 1, u32::MAX as usize] {
        let mut connection = relay.connect().await;
        raw(&mut connection).send.write_all(&head(len)).await.unwrap();
        assert_fatal(connection, "COD-1").await;
    }
}

#[tokio::test]
async fn a_frame_may_come_in_pieces() {
    let relay = Running::start(Transport::Quic).await;
    let mut connection = relay.connect().await;
    let ping = aside_protocol::encode(&ClientFrame::Ping(Ping {}));
    for byte in head(ping.len()).iter().chain(&ping) {
        raw(&mut connection).send.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(matches!(connection.receive().await, Some(RelayFrame::Pong(_))));
}

#[tokio::test]
async fn a_stream_that_is_reset_or_stopped_ends_the_session() {
    let relay = Running::start(Transport::Quic).await;
    let alice = Person::new("alice");
    for reset in [true, false] {
        let mut client = if reset { relay.join(&alice).await } else { relay.login(&alice, 0).await };
        let Socket::Quic(quic) = &mut client.socket else { panic!("not over QUIC") };
        match reset {
            true => quic.send.reset(1_u32.into()).unwrap(),
            false => quic.recv.stop(1_u32.into()).unwrap(),
        }
        client.stopped_hearing().await;
        wait_for_connected(&relay, 0).await;
    }
    assert_well(&relay).await;
}

#[tokio::test]
async fn a_client_that_vanishes_in_the_middle_of_a_frame_leaves_nothing() {
    let relay = Running::start(Transport::Quic).await;
    let alice = Person::new("alice");
    let mut client = relay.join(&alice).await;
    let Socket::Quic(quic) = &mut client.socket else { panic!("not over QUIC") };
    quic.send.write_all(&head(1000)).await.unwrap();
    quic.send.write_all(&[1; 500]).await.unwrap();
    quic.connection.close(7_u32.into(), b"gone");
    wait_for_connected(&relay, 0).await;
}

/// The first packets of connections that go nowhere, each with ids of its own.
async fn first_packets(count: usize) -> Vec<Vec<Vec<u8>>> {
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let config = crate::client::quic_config(aside_protocol::Hash([1; 32]), QUIC_ALPN);
    let mut all = Vec::new();
    for _ in 0..count {
        let nowhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = nowhere.local_addr().unwrap();
        let connecting = endpoint.connect_with(config.clone(), address, "aside-relay").unwrap();
        let mut packets = Vec::new();
        // A hello with post-quantum keys fills two.
        while packets.len() < 2 {
            let mut packet = vec![0; 2_000];
            let len = nowhere.recv(&mut packet).await.unwrap();
            packet.truncate(len);
            packets.push(packet);
        }
        drop(connecting);
        all.push(packets);
    }
    all
}

/// Who only claims an address never hears the token, and so takes no more than half of the places.
#[tokio::test]
async fn a_crowd_of_handshakes_must_show_where_it_is_and_others_still_get_in() {
    let relay = Running::start(Transport::Quic).await;
    let raw = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    raw.connect(relay.server.listen()).await.unwrap();
    let mut retried = false;
    for packets in first_packets(200).await {
        for packet in packets {
            raw.send(&packet).await.unwrap();
        }
        let mut answer = [0; 2_000];
        while let Ok(Ok(_)) = timeout(Duration::from_millis(5), raw.recv(&mut answer)).await {
            // A long header of type Retry.
            retried |= answer[0] & 0xf0 == 0xf0;
        }
    }
    assert!(retried, "the crowd was asked to show where it is");
    assert_well(&relay).await;
}

async fn wait_for_connected(relay: &Running, wanted: usize) {
    let reached = async {
        while relay.server.connected() != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reached).await.expect("the relay notices");
}

//! Hosts with several IP addresses. That a name has several cannot be had of the system, so they are given here.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/common/mod.rs"]
mod common;

use super::*;
use common::{Act, Relay, timing};
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};

/// What must not be waited for: a test that waits for it hangs.
const HOUR: Duration = Duration::from_secs(3600);

/// Somebody who takes datagrams and says nothing.
fn mute() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// On a link that no machine has.
fn unroutable() -> SocketAddr {
    let nobody = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    SocketAddrV6::new(nobody, 7443, 0, 0x7fff_0000).into()
}

/// What QUIC alone comes to at these addresses.
async fn quic(relay: &Relay, ips: &[SocketAddr], timing: Timing) -> Result<Greeted, TransportError> {
    let target = relay.target();
    let attempt = Attempt { address: &relay.address, target: &target, timing };
    attempt.lane(Transport::Quic, ips).await
}

#[tokio::test]
async fn quic_goes_on_to_the_next_address_while_the_first_is_silent() {
    let (_mute, silent) = mute();
    let relay = Relay::start(Act::Honest).await;
    let ip = relay.address.parse().unwrap();
    let patient = Timing { connect: HOUR, ..timing() };
    let greeted = quic(&relay, &[silent, ip], patient).await.unwrap();
    assert_eq!(greeted.way(), Way { transport: Transport::Quic, network: Network::towards(ip) });
}

#[tokio::test]
async fn quic_does_not_wait_where_no_way_leads() {
    let relay = Relay::start(Act::Honest).await;
    let patient = Timing { connect: HOUR, head_start: HOUR, ..timing() };
    quic(&relay, &[unroutable(), relay.address.parse().unwrap()], patient).await.unwrap();
    let error = quic(&relay, &[unroutable()], patient).await.expect_err("no way");
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
}

#[test]
fn what_is_known_of_any_address_of_a_host_goes_first() {
    let (_one, silent) = mute();
    let (_other, used) = mute();
    let ips = [unroutable(), silent, used];
    let mut known = Known::default();
    assert_eq!(first(&known, &ips), Transport::Quic);
    known.set(Network::towards(used).unwrap(), Transport::WebSocket);
    assert_eq!(first(&known, &ips), Transport::WebSocket);
}

/// Agents dial in a task of their own.
#[test]
fn dialling_may_move_between_threads() {
    fn moves<T: Send>(_: T) {}
    let target = Target { addresses: Vec::new(), pin: Hash([0; 32]), mode: Mode::Direct };
    moves(dial_with(&target, &Plan::default()));
}

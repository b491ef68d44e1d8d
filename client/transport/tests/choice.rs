//! Which transport is used when both may be (rules `QUI-5`, `QUI-6`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use aside_protocol::Hash;
use aside_transport::{Choice, Known, Network, Plan, Target, Timing, Transport, TransportError, dial_with};
use common::{Act, DEVICE, Relay, by_with, login_signature, timing};
use std::time::Duration;

/// What must not be waited for: a test that waits for it hangs.
const HOUR: Duration = Duration::from_secs(3600);

fn auto(known: Known, head_start: Duration) -> Plan {
    Plan { choice: Choice::Auto, known, timing: Timing { head_start, ..timing() } }
}

/// What is known of the network between this machine and a relay.
fn known(relay: &Relay, transport: Transport) -> Known {
    let mut known = Known::default();
    known.set(Network::towards(relay.address.parse().unwrap()).unwrap(), transport);
    known
}

async fn used(target: &Target, plan: &Plan) -> Transport {
    let greeted = dial_with(target, plan).await.unwrap();
    assert!(greeted.way().network.is_some());
    greeted.way().transport
}

#[tokio::test]
async fn quic_goes_first() {
    let relay = Relay::start(Act::Honest).await;
    assert_eq!(used(&relay.target(), &auto(Known::default(), HOUR)).await, Transport::Quic);
}

#[tokio::test]
async fn what_is_known_goes_first() {
    let relay = Relay::start(Act::Honest).await;
    for transport in [Transport::WebSocket, Transport::Quic] {
        assert_eq!(used(&relay.target(), &auto(known(&relay, transport), HOUR)).await, transport);
    }
}

#[tokio::test]
async fn a_websocket_is_used_where_udp_leads_nowhere() {
    let relay = Relay::start_only(Act::Honest, Transport::WebSocket).await;
    let plan = auto(Known::default(), Duration::from_millis(250));
    assert_eq!(used(&relay.target(), &plan).await, Transport::WebSocket);
}

#[tokio::test]
async fn quic_is_used_where_tcp_is_refused_whatever_is_known() {
    let relay = Relay::start_only(Act::Honest, Transport::Quic).await;
    for known in [Known::default(), known(&relay, Transport::WebSocket)] {
        assert_eq!(used(&relay.target(), &auto(known, Duration::from_millis(250))).await, Transport::Quic);
    }
}

/// QUIC repeats after a second what was lost, and has time for that, whether it began or joined.
#[tokio::test]
async fn a_lost_first_packet_does_not_end_quic_where_tcp_is_refused() {
    for first in [Transport::WebSocket, Transport::Quic] {
        let relay = Relay::start_losing_the_first().await;
        let plan = auto(known(&relay, first), Duration::from_millis(250));
        assert_eq!(used(&relay.target(), &plan).await, Transport::Quic);
    }
}

#[tokio::test]
async fn one_that_is_asked_for_is_used_alone() {
    let relay = Relay::start_only(Act::Honest, Transport::WebSocket).await;
    let quick = Timing { connect: Duration::from_millis(300), ..timing() };
    let error = dial_with(&relay.target(), &by_with(Transport::Quic, quick)).await.expect_err("no UDP");
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
}

/// Else who blocks UDP could turn a wrong key into a mere network problem, which is tried again for ever.
#[tokio::test]
async fn another_identity_is_told_as_such_by_whichever_transport_finds_it() {
    for only in [Transport::WebSocket, Transport::Quic] {
        let relay = Relay::start_only(Act::Honest, only).await;
        let target = Target { pin: Hash([1; 32]), ..relay.target() };
        let plan = Plan { timing: Timing { connect: Duration::from_secs(3), ..timing() }, ..Plan::default() };
        let error = dial_with(&target, &plan).await.expect_err("another relay");
        assert_eq!(error, TransportError::WrongPin { address: relay.address.clone() });
    }
}

#[tokio::test]
async fn a_relay_that_does_not_prove_itself_loses_the_race() {
    // By QUIC somebody answers and never says hello; the proof is what counts, not the handshake.
    let relay = Relay::start(Act::NoHello).await;
    let plan = Plan { timing: Timing { handshake: Duration::from_millis(500), ..timing() }, ..Plan::default() };
    let error = dial_with(&relay.target(), &plan).await.expect_err("no hello");
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
}

/// Several looks between two signs of life: nothing is sent meanwhile, and nothing may be made of that. (An answer may
/// take 25 ms, which is all QUIC asks for.)
#[tokio::test]
async fn a_quiet_path_is_not_given_up() {
    let (look, keep_alive) = (Duration::from_millis(50), Duration::from_millis(500));
    let relay = Relay::start(Act::Honest).await;
    let plan = by_with(Transport::Quic, Timing { look, keep_alive, ..timing() });
    let greeted = dial_with(&relay.target(), &plan).await.unwrap();
    let signature = login_signature(&greeted);
    let (mut link, _) = greeted.login(DEVICE, signature).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_millis(1_700), link.events.recv()).await;
    assert!(ended.is_err(), "{ended:?}");
}

//! The client's transport against a real relay: pinned TLS, mutual proof, refusals.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_protocol::frame::Register;
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::{Body, DeviceId, Hash, Name, PublicKey, Refusal, Signature};
use aside_tests::{Relay, RelayOptions};
use aside_transport::{Target, TransportError, dial};

fn target(relay: &Relay) -> Target {
    let invite = Invite::from_link(relay.first_invite()).unwrap();
    Target { addresses: invite.addresses, pin: invite.pin, mode: invite.mode }
}

#[tokio::test]
async fn the_invites_relay_proves_itself_and_another_does_not() {
    let relay = Relay::start(RelayOptions::proxied());
    let target = target(&relay);
    let greeted = dial(&target).await.unwrap();
    assert_eq!(greeted.transcript().relay, target.pin);
    let other = Target { pin: Hash([0; 32]), ..target };
    assert!(matches!(dial(&other).await, Err(TransportError::WrongPin { .. })));
    relay.finish();
}

#[tokio::test]
async fn an_unknown_device_is_told_so() {
    let relay = Relay::start(RelayOptions::default());
    let greeted = dial(&target(&relay)).await.unwrap();
    let error = greeted.login(DeviceId([9; 16]), Signature([9; 64])).await.expect_err("unknown");
    assert!(matches!(&error, TransportError::Fault(fault) if fault.rule == "LOG-3"), "{error}");
    assert!(error.is_fatal());
    relay.finish();
}

#[tokio::test]
async fn a_registration_that_does_not_hold_is_refused() {
    let relay = Relay::start(RelayOptions::default());
    let greeted = dial(&target(&relay)).await.unwrap();
    let register = Register {
        secret: InviteSecret([0; 16]),
        name: Name::new("alice").unwrap(),
        root: PublicKey([1; 32]),
        list: Body::from(vec![1, 2, 3]),
        signature: Signature([2; 64]),
    };
    let error = greeted.register(register).await.expect_err("not an account");
    let refused = matches!(&error, TransportError::Refused(Refusal::Invalid(_) | Refusal::InviteUnknown(_)));
    let fault = matches!(&error, TransportError::Fault(fault) if fault.rule.starts_with("LOG-"));
    assert!(refused || fault, "{error:?}");
    relay.finish();
}

#[tokio::test]
async fn a_relay_that_is_gone_is_unreachable_and_may_come_back() {
    let mut relay = Relay::start(RelayOptions::default());
    let target = target(&relay);
    relay.kill();
    let error = dial(&target).await.expect_err("gone");
    assert!(matches!(error, TransportError::Unreachable { .. }) && !error.is_fatal(), "{error}");
    relay.restart();
    dial(&target).await.unwrap();
    relay.finish();
}

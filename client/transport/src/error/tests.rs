//! Which errors a person has to act on, and what they say.

use super::TransportError;
use aside_protocol::Refusal;
use aside_protocol::frame::{Fault, Goodbye, GoodbyeReason};
use aside_protocol::refusal::{Plain, RetryAfter};
use std::time::Duration;

fn fault(rule: &str) -> TransportError {
    TransportError::from_fault(Fault { rule: rule.into(), message: "too odd".into(), fatal: true })
}

#[test]
fn what_passes_is_retried_and_what_stays_is_not() {
    let address = "relay.example:7443".to_owned();
    assert!(TransportError::WrongPin { address: address.clone() }.is_fatal());
    assert!(TransportError::Refused(Refusal::Revoked(Plain {})).is_fatal());
    assert!(fault("LOG-3").is_fatal());
    assert!(!TransportError::NotARelay { address, why: "it speaks HTTP".into() }.is_fatal());
    assert!(!TransportError::Refused(Refusal::Busy(RetryAfter { retry_after_ms: 5 })).is_fatal());
    assert!(!fault("WIN-2").is_fatal());
    assert!(!TransportError::Closed.is_fatal());
}

#[test]
fn the_relays_pause_is_known() {
    let goodbye = |ms| TransportError::Goodbye(Goodbye { reason: GoodbyeReason::Full, retry_after_ms: ms });
    assert_eq!(goodbye(2_000).retry_after(), Some(Duration::from_secs(2)));
    assert_eq!(goodbye(0).retry_after(), None);
    let busy = TransportError::Refused(Refusal::Busy(RetryAfter { retry_after_ms: 70 }));
    assert_eq!(busy.retry_after(), Some(Duration::from_millis(70)));
}

#[test]
fn no_common_version_is_told_apart() {
    assert_eq!(fault("CON-1"), TransportError::NoCommonVersion);
}

#[test]
fn messages_say_what_happened_and_what_to_do() {
    assert_eq!(fault("WIN-2").to_string(), "the relay closed the connection: too odd (WIN-2)");
    let refused = TransportError::Refused(Refusal::InviteUsed(Plain {}));
    assert_eq!(refused.to_string(), "the invite has been used up; ask the relay's host for a new one");
    let unknown = TransportError::Refused(Refusal::Unknown(99));
    assert_eq!(unknown.to_string(), "the relay refused (REF-99)");
}

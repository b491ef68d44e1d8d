//! The harness itself, against a real relay: started, reached through the proxy, killed, started again, stopped.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_protocol::invite::Invite;
use aside_tests::{Relay, RelayOptions};
use std::net::TcpStream;

fn invite(link: &str) -> Invite {
    Invite::from_link(link).unwrap()
}

#[test]
fn a_relay_keeps_its_port_and_identity_over_its_lives() {
    let mut relay = Relay::start(RelayOptions::default());
    let (address, pin) = (relay.address(), invite(relay.first_invite()).pin);
    relay.kill();
    assert!(TcpStream::connect(address).is_err(), "it is gone");
    relay.restart();
    assert_eq!(relay.address(), address);
    assert_eq!(invite(relay.first_invite()).pin, pin);
    relay.stop();
    assert!(TcpStream::connect(address).is_err(), "it is gone again");
    relay.finish();
}

#[test]
#[should_panic(expected = "expected exit code 0")]
fn a_relay_without_a_command_log_is_not_finished() {
    let mut relay = Relay::start(RelayOptions::default());
    relay.stop();
    std::fs::remove_file(relay.record()).unwrap();
    relay.finish();
}

#[test]
fn invites_name_the_proxy_in_front() {
    let relay = Relay::start(RelayOptions::proxied());
    let proxy = relay.proxy().address().to_string();
    assert_eq!(invite(relay.first_invite()).addresses, vec![proxy.clone()]);
    assert_eq!(invite(&relay.invite(3)).addresses, vec![proxy]);
    assert_ne!(relay.address(), relay.proxy().address());
    relay.finish();
}

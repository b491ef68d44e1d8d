#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn addresses_of_one_network_have_one_prefix() {
    let prefixed = |text: &str| prefix(text.parse().unwrap()).to_string();
    assert_eq!(prefixed("192.0.2.77"), "192.0.2.0");
    assert_eq!(prefixed("::ffff:192.0.2.77"), "192.0.2.0");
    assert_eq!(prefixed("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
}

#[test]
fn relays_are_told_apart() {
    let towards = |port| Network::towards(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    assert_eq!(towards(7443), towards(7443));
    assert_ne!(towards(7443), towards(7444));
}

//! A name with a changed key, a relay with another key.

use super::common::*;
use super::restored_relay::{backup, put_back};
use aside_protocol::Hash;
use aside_protocol::invite::Invite;
use aside_tests::{Client, Relay, RelayOptions, search};

/// Alice knew bob; the relay forgot him, and somebody else has his name now.
fn another_bob() -> (Relay, Client, Client, Client) {
    let mut relay = Relay::start(RelayOptions::default());
    let alice = impatient("alice", relay.first_invite());
    let copy = backup(&mut relay);
    let bob = impatient("bob", relay.first_invite());
    acquaint(&alice, &bob);
    put_back(&mut relay, &copy);
    let other = impatient("bob", &relay.invite(1));
    (relay, alice, bob, other)
}

#[test]
fn a_changed_key_stops_sending_until_it_is_accepted() {
    let (relay, alice, _bob, other) = another_bob();
    say(&other, &alice, "it is me, really");
    hear(&alice, &["it is me, really"]);
    fails_with(alice.send("bob", "the secret", &["--timeout", WAIT]), 4, "bob has a new key");
    fails_with(alice.send("bob", "the secret", &["--on-key-change", "fail", "--timeout", WAIT]), 4, "new key");
    assert!(other.recv(&["--timeout", "1s"]).ok().stdout.is_empty(), "nothing went to the new key");
    let accept = ["--on-key-change", "accept", "--wait", "sent", "--timeout", WAIT];
    alice.send("bob", "compared, it is you", &accept).ok();
    hear(&other, &["compared, it is you"]);
    // The decision stands.
    say(&alice, &other, "next");
    hear(&other, &["next"]);
    deliver(&other, &alice, "thanks");
    finish(relay);
}

/// Nobody has written yet from the new key: the sender must hear of it all the same.
#[test]
fn a_changed_key_is_noticed_by_who_writes_first() {
    let (relay, alice, _bob, other) = another_bob();
    let send = alice.send("bob", "the secret", &["--timeout", "20s"]);
    fails_with(send, 4, "bob has a new key");
    assert!(other.recv(&["--timeout", "1s"]).ok().stdout.is_empty(), "nothing went to the new key");
    alice.send("bob", "compared", &["--on-key-change", "accept", "--timeout", WAIT]).ok();
    let heard = other.recv(&["--timeout", WAIT]).ok();
    assert!(!texts_of(&heard.json()).contains(&"the secret".to_owned()), "what was for the old key stays there");
    finish(relay);
}

#[test]
fn a_relay_with_another_key_is_not_trusted() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let old = relay.first_invite().to_owned();
    relay.stop();
    for path in search::files(relay.data().parent().unwrap()) {
        std::fs::remove_file(path).unwrap();
    }
    relay.restart();
    fails_with(alice.send("bob", "hello?", &["--timeout", "10s"]), 4, "not the one your invite names");
    fails_with(alice.recv(&["--timeout", "10s"]), 4, "not the one your invite names");
    fails_with(Client::new("carol").register(&old), 4, "not the one your invite names");
    // The pending message is in the history, not lost.
    assert_eq!(told(&history(&alice, "bob"), true), ["hello from alice", "hello?"]);
    finish(relay);
}

#[test]
fn a_wrong_pin_in_an_invite_leaves_nothing_in_the_way() {
    let relay = Relay::start(RelayOptions::default());
    let right = Invite::from_link(relay.first_invite()).unwrap();
    let wrong = Invite { pin: Hash([7; 32]), ..right.clone() }.to_link();
    let client = Client::new("alice");
    fails_with(client.register(&wrong), 4, "not the one your invite names");
    fails_with(client.whoami(), 1, "not registered yet");
    client.register(&right.to_link()).ok();
    assert_eq!(client.whoami().ok().one()["name"], "alice");
    finish(relay);
}

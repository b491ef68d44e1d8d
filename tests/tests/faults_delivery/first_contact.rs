//! Two people who never wrote to each other do so at the same moment: one chat, both texts.

use super::common::*;
use super::evidence::{Evidence, evidence};
use aside_tests::{Client, Relay, RelayOptions, rounds, wait_for};

/// Texts each of the two says before hearing anything, and after.
const FIRST: usize = 3;
const ALL: usize = 6;

/// A founding is longer than this on the wire, and all that goes before it on a connection is shorter.
const FOUNDING: usize = 4_000;

/// What the network does while two people found their chat.
enum Network {
    /// It is slow: neither founding reaches the relay before both are on their way, so that they meet there.
    Slow,
    /// It breaks at random bytes that follow this seed, so that requests and answers of the founding are lost.
    Breaking(u64),
}

/// Both speak at once, and hear all that the other one said.
fn speak(relay: &Relay, one: &Client, other: &Client, network: &Network) {
    let connections = relay.proxy().accepted();
    let (mut here, mut there) = (one.talk(other.name()), other.talk(one.name()));
    wait_for("both to connect", LONG, || relay.proxy().accepted() >= connections + 2);
    let (one_says, other_says) = (texts(one.name(), 0..ALL), texts(other.name(), 0..ALL));
    match network {
        Network::Slow => relay.proxy().hold_over(FOUNDING),
        Network::Breaking(seed) => relay.proxy().cut_at_random(*seed, 6_000..40_000),
    }
    here.say(&one_says[..FIRST]);
    there.say(&other_says[..FIRST]);
    if matches!(network, Network::Slow) {
        wait_for("both foundings", LONG, || relay.proxy().holding() == 2);
        relay.proxy().release();
    }
    wait_heard(&here, other.name(), FIRST);
    wait_heard(&there, one.name(), FIRST);
    relay.proxy().calm();
    here.say(&one_says[FIRST..]);
    there.say(&other_says[FIRST..]);
    wait_heard(&here, other.name(), ALL);
    wait_heard(&there, one.name(), ALL);
    assert_texts("what the other one said", &heard(&here, other.name()), &other_says);
    assert_texts("what the one said", &heard(&there, one.name()), &one_says);
    leave(here);
    leave(there);
    agreed(one, other, &one_says, &other_says);
}

/// Lets so many pairs meet; returns what happened at the relay.
fn meet(pairs: usize, network: impl Fn(usize) -> Network) -> Evidence {
    let relay = Relay::start(RelayOptions::proxied());
    for pair in 0..pairs {
        let invite = relay.invite(2);
        let [one, other] = ["romeo", "juliet"].map(|name| settled(&format!("{name}{pair}"), &invite));
        speak(&relay, &one, &other, &network(pair));
    }
    let evidence = evidence(&relay);
    assert_eq!(evidence.foundings, pairs, "one founding each");
    relay.finish();
    evidence
}

#[test]
fn people_who_write_first_at_the_same_moment_share_one_chat() {
    let pairs = rounds(4, 40);
    let evidence = meet(pairs, |_| Network::Slow);
    assert!(evidence.foundings_lost >= pairs, "the two foundings of each pair met: {evidence:?}");
}

#[test]
fn a_first_contact_survives_random_cuts() {
    meet(rounds(6, 60), |pair| Network::Breaking(pair as u64));
}

//! Two people who never wrote to each other do so at the same moment: one chat, both texts.

use super::common::*;
use super::evidence::evidence;
use aside_tests::{Client, Relay, RelayOptions, rounds, wait_for};

/// Texts each of the two says before hearing anything, and after.
const FIRST: usize = 3;
const ALL: usize = 6;

/// Both speak at once; returns what each of them said.
fn speak(relay: &Relay, one: &Client, other: &Client, seed: Option<u64>) {
    let connections = relay.proxy().accepted();
    let (mut here, mut there) = (one.talk(other.name()), other.talk(one.name()));
    wait_for("both to connect", LONG, || relay.proxy().accepted() >= connections + 2);
    let (one_says, other_says) = (texts(one.name(), 0..ALL), texts(other.name(), 0..ALL));
    if let Some(seed) = seed {
        relay.proxy().cut_at_random(seed, 6_000..40_000);
    }
    here.say(&one_says[..FIRST]);
    there.say(&other_says[..FIRST]);
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

/// Lets pairs meet until there is enough of them; returns the relay and their number.
fn meet(enough: impl Fn(usize, &Relay) -> bool, seed: impl Fn(usize) -> Option<u64>) -> (Relay, usize) {
    let relay = Relay::start(RelayOptions::proxied());
    for pair in 0.. {
        if enough(pair, &relay) {
            return (relay, pair);
        }
        let invite = relay.invite(2);
        let [one, other] = ["romeo", "juliet"].map(|name| settled(&format!("{name}{pair}"), &invite));
        speak(&relay, &one, &other, seed(pair));
    }
    unreachable!("there are enough numbers")
}

/// Whether two foundings of one chat ever met at the relay.
fn met(relay: &Relay) -> bool {
    evidence(relay).foundings_lost > 0
}

#[test]
fn people_who_write_first_at_the_same_moment_share_one_chat() {
    let wanted = rounds(6, 40);
    let (relay, pairs) = meet(|pairs, relay| pairs >= wanted && (met(relay) || pairs >= 5 * wanted), |_| None);
    assert!(met(&relay), "no two foundings ever met: this proves nothing");
    assert_eq!(evidence(&relay).foundings, pairs, "one founding each");
    relay.finish();
}

/// The same while their connections break at random bytes, so that requests and answers of the founding are lost.
#[test]
fn a_first_contact_survives_random_cuts() {
    let wanted = rounds(6, 60);
    let (relay, pairs) = meet(|pairs, _| pairs >= wanted, |pair| Some(pair as u64));
    assert_eq!(evidence(&relay).foundings, pairs, "one founding each");
    relay.finish();
}

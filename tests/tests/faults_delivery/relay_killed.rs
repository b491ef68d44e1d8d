//! The relay dies without warning while messages are in flight, and comes back, again and again.

use super::common::*;
use aside_tests::{Relay, RelayOptions, rounds, wait_for};

/// Texts everybody says in each life of the relay.
const BATCH: usize = 25;

#[test]
fn a_relay_killed_again_and_again_loses_nothing() {
    let mut relay = Relay::start(RelayOptions::default());
    let people = ["alice", "bob", "carol", "dave"].map(|name| settled(name, relay.first_invite()));
    let [alice, bob, carol, dave] = &people;
    let (mut from_alice, mut from_bob, mut from_carol) = (alice.talk("bob"), bob.talk("alice"), carol.talk("dave"));
    let follower = dave.follow();
    let (mut said, mut in_flight) = (0, 0);
    let lives = rounds(10, 50);
    for life in 0..lives {
        let (alice_says, bob_says, carol_says) = (batch("alice", said), batch("bob", said), batch("carol", said));
        from_alice.say(&alice_says);
        from_bob.say(&bob_says);
        from_carol.say(&carol_says);
        let before = said;
        said += BATCH;
        // Dies when a few of this batch have arrived, at another point each time.
        let few = before + 1 + life * 7 % (BATCH - 5);
        wait_for("a few texts to arrive", LONG, || {
            heard(&from_bob, "alice").len() >= few || printed(&follower).len() >= few
        });
        relay.kill();
        let arrived = [heard(&from_bob, "alice"), heard(&from_alice, "bob"), printed(&follower)];
        in_flight += usize::from(arrived.iter().any(|texts| texts.len() < said));
        relay.restart();
    }
    assert!(in_flight * 2 >= lives, "only {in_flight} of {lives} kills met messages in flight");
    wait_heard(&from_bob, "alice", said);
    wait_heard(&from_alice, "bob", said);
    wait_printed(&follower, said);
    let [alice_said, bob_said, carol_said] = ["alice", "bob", "carol"].map(|name| texts(name, 0..said));
    assert_texts("what bob's talk printed", &heard(&from_bob, "alice"), &alice_said);
    assert_texts("what alice's talk printed", &heard(&from_alice, "bob"), &bob_said);
    [from_alice, from_bob, from_carol].into_iter().for_each(leave);
    assert_texts("what dave's recv printed", &interrupt(follower), &carol_said);
    agreed(alice, bob, &alice_said, &bob_said);
    agreed(carol, dave, &carol_said, &[]);
    relay.finish();
}

fn batch(name: &str, from: usize) -> Vec<String> {
    texts(name, from..from + BATCH)
}

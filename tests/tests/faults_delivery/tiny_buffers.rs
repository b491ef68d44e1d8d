//! Subscribing and catching up race with new messages, where the relay has room for hardly any.

use super::common::*;
use aside_tests::{RelayOptions, rounds};

fn tiny(window: usize) -> RelayOptions {
    RelayOptions::default().arg("--push-queue").arg("1").arg("--window").arg(window.to_string())
}

/// Bob comes and goes while Alice writes: each of his connections subscribes, catches up and goes live under load.
#[test]
fn catching_up_races_with_new_messages() {
    let pair = Pair::start(tiny(32));
    let visits = rounds(12, 80);
    let batch = 40;
    let said = texts("line", 0..visits * batch);
    let mut talk = pair.alice.talk("bob");
    let mut got = Vec::new();
    for visit in 0..visits {
        talk.say(&said[visit * batch..(visit + 1) * batch]);
        let follower = pair.bob.follow();
        wait_printed(&follower, 1 + visit * 13 % batch);
        got.extend(interrupt(follower));
    }
    let last = pair.bob.follow();
    wait_printed(&last, said.len() - got.len());
    leave(talk);
    got.extend(interrupt(last));
    assert_texts("what bob printed", &got, &said);
    pair.prove(&said, &[]);
}

/// Both write at once through a window of two and a queue of one: every push overflows, every page is tiny. Clients
/// acknowledge once a second, so that this carries two envelopes a second and cannot be a long test.
#[test]
fn a_window_of_two_and_a_queue_of_one_deliver_everything() {
    let pair = Pair::start(tiny(2));
    let each = rounds(8, 24);
    let (alice_says, bob_says) = (texts("alice", 0..each), texts("bob", 0..each));
    let (mut alice, mut bob) = (pair.alice.talk("bob"), pair.bob.talk("alice"));
    alice.say(&alice_says);
    bob.say(&bob_says);
    wait_heard(&bob, "alice", each);
    wait_heard(&alice, "bob", each);
    assert_texts("what bob's talk printed", &heard(&bob, "alice"), &alice_says);
    assert_texts("what alice's talk printed", &heard(&alice, "bob"), &bob_says);
    leave(alice);
    leave(bob);
    pair.prove(&alice_says, &bob_says);
}

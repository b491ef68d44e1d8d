//! What a client sent on an old connection arrives late: after its retry, before it, or at the same moment.

use super::common::*;
use aside_tests::{Background, RelayOptions, rounds, wait_for};

const BATCH: usize = 10;
/// A message on the wire is longer than this: bytes held that prove the batch was sent.
const SEALED: usize = 250;

/// Alice's talk is connected, and the relay hears nothing of what she says on that connection. Bob follows on another.
fn hold(
    pair: &Pair,
    talk: &mut Background,
    follower: Background,
    got: &mut Vec<String>,
    says: &[String],
) -> Background {
    talk.say(&says[..1]);
    wait_for("the first text", LONG, || printed(&follower).contains(&says[0]));
    got.extend(interrupt(follower));
    wait_for("bob's connection to be gone", LONG, || pair.proxy().open() == 1);
    pair.proxy().hold();
    let follower = pair.bob.follow();
    talk.say(&says[1..]);
    wait_for("the batch to be held", LONG, || pair.proxy().held() >= BATCH * SEALED);
    assert!(!printed(&follower).contains(&says[1]), "it was not held");
    follower
}

#[test]
fn a_copy_from_an_old_connection_changes_nothing() {
    let pair = Pair::start(RelayOptions::proxied());
    let mut talk = pair.alice.talk("bob");
    let mut follower = pair.bob.follow();
    let (mut got, mut said) = (Vec::new(), 0);
    let all = texts("line", 0..rounds(6, 30) * (BATCH + 1));
    for round in 0..all.len() / (BATCH + 1) {
        let says = &all[said..said + BATCH + 1];
        said += says.len();
        follower = hold(&pair, &mut talk, follower, &mut got, says);
        pair.proxy().cut();
        if round % 2 == 0 {
            // The retry on a new connection first, then the copy.
            wait_printed(&follower, BATCH);
        }
        // Else both race.
        pair.proxy().release();
        wait_for("the whole batch", LONG, || got.len() + printed(&follower).len() >= said);
    }
    leave(talk);
    got.extend(interrupt(follower));
    assert_texts("what bob printed", &got, &all);
    pair.prove(&all, &[]);
}

/// The sender is dead when its messages arrive at last; its next process finds them accepted.
#[test]
fn messages_that_arrive_after_their_senders_death_are_not_sent_twice() {
    let pair = Pair::start(RelayOptions::proxied());
    let mut talk = pair.alice.talk("bob");
    let mut got = Vec::new();
    let says = texts("line", 0..BATCH + 1);
    let follower = pair.bob.follow();
    let follower = hold(&pair, &mut talk, follower, &mut got, &says);
    talk.kill();
    // What it had not read yet when it died was never said.
    let stored = pair.alice.whole_history("bob").len();
    let all = &says[..stored];
    pair.proxy().release();
    wait_printed(&follower, 2);
    leave(pair.alice.talk("bob"));
    wait_for("the whole batch", LONG, || got.len() + printed(&follower).len() >= all.len());
    got.extend(interrupt(follower));
    assert_texts("what bob printed", &got, all);
    pair.prove(all, &[]);
}

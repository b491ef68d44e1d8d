//! The relay stores messages, and its replies are lost: the client learns from its queue what the relay has.

use super::common::*;
use aside_tests::{RelayOptions, rounds, wait_for};

const BATCH: usize = 20;

#[test]
fn lost_replies_make_no_copies() {
    let pair = Pair::start(RelayOptions::proxied());
    let mut talk = pair.alice.talk("bob");
    let mut follower = pair.bob.follow();
    let (mut said, mut got) = (0, Vec::new());
    let all = texts("line", 0..rounds(6, 40) * (BATCH + 1));
    while said < all.len() {
        // One that arrives as it should: both are connected, and no answer is on its way.
        talk.say(&all[said..=said]);
        said += 1;
        wait_printed(&follower, said - got.len());
        got.extend(interrupt(follower));
        wait_for("bob's connection to be gone", LONG, || pair.proxy().open() == 1);
        pair.proxy().swallow_replies();
        // A connection made now hears everything, so it shows what the relay has stored.
        follower = pair.bob.follow();
        talk.say(&all[said..said + BATCH]);
        said += BATCH;
        wait_printed(&follower, said - got.len());
        wait_for("a reply to be lost", LONG, || pair.proxy().swallowed() > 0);
        pair.proxy().cut();
    }
    leave(talk);
    got.extend(interrupt(follower));
    assert_texts("what bob printed", &got, &all);
    pair.prove(&all, &[]);
}

/// The sender dies before it learns what the relay has; its next process does.
#[test]
fn lost_replies_and_a_dead_sender_make_no_copies() {
    let pair = Pair::start(RelayOptions::proxied());
    let mut all = texts("line", 0..1);
    let mut talk = pair.alice.talk("bob");
    talk.say(&all);
    let follower = pair.bob.follow();
    wait_printed(&follower, 1);
    let mut got = interrupt(follower);
    wait_for("bob's connection to be gone", LONG, || pair.proxy().open() == 1);
    pair.proxy().swallow_replies();
    let follower = pair.bob.follow();
    all.extend(texts("line", 1..60));
    talk.say(&all[1..]);
    wait_printed(&follower, 59);
    talk.kill();
    got.extend(interrupt(follower));
    assert_texts("what bob printed", &got, &all);
    let pending = pair.alice.whole_history("bob").iter().filter(|message| message["seq"].is_null()).count();
    assert!(pending > 0, "alice heard of everything, so no reply was lost");
    leave(pair.alice.talk("bob"));
    pair.prove(&all, &[]);
}

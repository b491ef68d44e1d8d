//! A client database restored from a copy that is older than the chat itself.

use super::common::*;
use aside_tests::Client;

/// The chat was founded by the one whose copy knows nothing of it, who then writes first.
#[test]
fn a_chat_this_device_founded() {
    let (relay, alice, bob) = two();
    let copy = alice.snapshot();
    acquaint(&alice, &bob);
    say(&bob, &alice, "sent while away");
    alice.restore(&copy);
    let (at_alice, at_bob) = talk_again(&alice, &bob, "restored");
    assert_eq!(at_bob, ["restored: alice to bob"]);
    once_each(&at_alice, &["restored: bob to alice"]);
    once_each(&told(&history(&bob, "alice"), false), &["hello from alice", "restored: alice to bob"]);
    // Bob's messages of before are sent again, since alice cannot read them with her old keys.
    once_each(&told(&history(&alice, "bob"), false), &["hello from bob", "sent while away", "restored: bob to alice"]);
    in_order(&history(&alice, "bob"));
    talk_again(&bob, &alice, "and again");
    finish(relay);
}

/// The same, but the other side writes first.
#[test]
fn a_chat_this_device_founded_and_hears_of() {
    let (relay, alice, bob) = two();
    let copy = alice.snapshot();
    acquaint(&alice, &bob);
    alice.restore(&copy);
    say(&bob, &alice, "anybody there?");
    // What is sent again may be printed after what was written later; the history has it where it stood.
    let mut at_alice = deliver(&bob, &alice, "restored?");
    at_alice.sort();
    once_each(&at_alice, &["anybody there?", "hello from bob", "restored?"]);
    in_order(&history(&alice, "bob"));
    assert_eq!(deliver(&alice, &bob, "restored!"), ["restored!"]);
    once_each(&told(&history(&alice, "bob"), false), &["hello from bob", "anybody there?", "restored?"]);
    once_each(&told(&history(&bob, "alice"), false), &["hello from alice", "restored!"]);
    finish(relay);
}

/// The chat was founded by the other side: its welcome is for a key that the copy may still have.
#[test]
fn a_chat_the_other_side_founded() {
    let (relay, alice, bob) = two();
    let copy = bob.snapshot();
    acquaint(&alice, &bob);
    say(&alice, &bob, "sent while away");
    bob.restore(&copy);
    let (at_alice, at_bob) = talk_again(&alice, &bob, "restored");
    assert_eq!(at_alice, ["restored: bob to alice"]);
    once_each(&at_bob, &["restored: alice to bob"]);
    let theirs = ["hello from alice", "sent while away", "restored: alice to bob"];
    once_each(&told(&history(&bob, "alice"), false), &theirs);
    once_each(&told(&history(&alice, "bob"), false), &["hello from bob", "restored: bob to alice"]);
    talk_again(&bob, &alice, "and again");
    finish(relay);
}

/// The chat was founded by the other side, and the restored one never wrote in it: no echo shows that anything is
/// missing, and nobody on this side waits for an answer.
#[test]
fn a_chat_in_which_this_device_only_listened() {
    let (relay, alice, bob) = two();
    let copy = bob.snapshot();
    say(&alice, &bob, "one");
    hear(&bob, &["one"]);
    bob.restore(&copy);
    say(&alice, &bob, "two");
    let at_bob = deliver_to_restored(&alice, &bob, "three");
    // What is sent again is printed when it comes; the history has it where it stood.
    once_each(&at_bob, &["three"]);
    once_each(&told(&history(&bob, "alice"), false), &["one", "two", "three"]);
    in_order(&history(&bob, "alice"));
    talk_again(&bob, &alice, "and again");
    finish(relay);
}

/// Both sides run until the text is printed, since the one has to ask and the other to answer.
fn deliver_to_restored(from: &Client, to: &Client, text: &str) -> Vec<String> {
    let mut follower = to.follow();
    say(from, to, text);
    let mut answering = from.follow();
    printed(&follower, text);
    answering.kill();
    let texts = texts_of(&follower.json());
    follower.kill();
    texts
}

//! What is being written is kept, for each chat.

use super::common::*;
use aside_tests::{Client, Key};

#[test]
fn a_draft_is_there_again_after_leaving() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let left = chatting(&alice, "bob");
    left.press("half a thought");
    left.wait_until("what was typed", |screen| composer(screen).as_deref() == Some("half a thought"));
    quit(left);
    let again = online(&alice);
    again.wait_for("✎");
    chat(&again, "bob");
    again.wait_until("the draft", |screen| composer(screen).as_deref() == Some("half a thought"));
    again.enter(", and the rest");
    wait_tick(&again, "half a thought, and the rest", "✓");
    quit(again);
    let third = chatting(&alice, "bob");
    third.wait_for("half a thought, and the rest");
    assert_eq!(composer(&third.screen()).as_deref(), Some(""), "it was sent");
    quit(third);
    finish(relay);
}

#[test]
fn each_chat_has_its_own() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let carol = Client::registered("carol", relay.first_invite());
    acquaint(&alice, &carol);
    let left = chatting(&alice, "bob");
    left.press("for bob");
    chat(&left, "carol");
    left.wait_until("an empty composer", |screen| composer(screen).as_deref() == Some(""));
    left.press("for carol");
    left.key(Key::AltDown);
    left.wait_until("bob's draft", |screen| composer(screen).as_deref() == Some("for bob"));
    left.key(Key::AltUp);
    left.wait_until("carol's draft", |screen| composer(screen).as_deref() == Some("for carol"));
    quit(left);
    finish(relay);
}

#[test]
fn a_draft_survives_a_signal() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut left = chatting(&alice, "bob");
    left.press("cut off");
    left.wait_until("what was typed", |screen| composer(screen).as_deref() == Some("cut off"));
    left.signal("TERM");
    left.wait_exit();
    assert!(left.is_restored());
    let again = chatting(&alice, "bob");
    again.wait_until("the draft", |screen| composer(screen).as_deref() == Some("cut off"));
    quit(again);
    finish(relay);
}

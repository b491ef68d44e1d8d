//! The relay goes away and comes back.

use super::common::*;
use aside_tests::Key;

#[test]
fn what_is_written_while_the_relay_is_away_goes_out_once() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let (left, right) = (chatting(&alice, "bob"), chatting(&bob, "alice"));
    relay.kill();
    left.wait_for("offline");
    right.wait_for("offline");
    let lines = ["one while away", "two while away", "three while away"];
    for line in lines {
        left.enter(line);
        wait_tick(&left, line, "…");
    }
    let screen = left.wait_for("3 not sent");
    assert!(row(&screen, "two while away").is_some());
    assert_screen!("relay_away", left);
    left.key(Key::Alt('c'));
    left.wait_for("tried again by itself");
    left.key(Key::Esc);
    left.wait_gone("tried again by itself");
    relay.restart();
    for line in lines {
        wait_tick(&left, line, "✓✓•");
        right.wait_for(line);
    }
    left.wait_for("online");
    left.wait_gone("not sent");
    right.enter("Welcome back.");
    left.wait_for("Welcome back.");
    quit(left);
    quit(right);
    let history = texts(&bob, "alice");
    assert_eq!(history[2..5], lines);
    assert_eq!(history.len(), 6, "{history:?}");
    finish(relay);
}

#[test]
fn a_user_who_does_not_want_to_wait_tries_at_once() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let left = chatting(&alice, "bob");
    relay.kill();
    left.wait_for("offline");
    left.enter("Now, please.");
    wait_tick(&left, "Now, please.", "…");
    relay.restart();
    left.key(Key::Alt('c'));
    left.wait_for("try now");
    left.press("r");
    left.key(Key::Esc);
    left.wait_for("online");
    wait_tick(&left, "Now, please.", "✓");
    quit(left);
    finish(relay);
}

#[test]
fn a_message_that_never_left_can_be_taken_back() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let left = chatting(&alice, "bob");
    relay.kill();
    left.wait_for("offline");
    left.enter("Rather not.");
    wait_tick(&left, "Rather not.", "…");
    left.key(Key::Alt('u'));
    left.wait_for("Not sent yet: 1.");
    left.press("d");
    left.wait_for("Everything in this chat is sent.");
    left.key(Key::Esc);
    left.wait_until("the message to go", |screen| row(screen, "Rather not.").is_none());
    relay.restart();
    left.wait_for("online");
    left.enter("This one.");
    wait_tick(&left, "This one.", "✓");
    quit(left);
    bob.recv(&["--follow", "--limit", "1", "--timeout", "60s"]).ok();
    assert_eq!(texts(&bob, "alice")[2..], ["This one."]);
    finish(relay);
}

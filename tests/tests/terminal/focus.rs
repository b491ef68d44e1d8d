//! Nothing counts as read that nobody can have seen.

use super::common::*;
use aside_tests::Key;

#[test]
fn what_comes_while_the_window_has_no_focus_is_delivered_and_not_read() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let (left, right) = (chatting(&alice, "bob"), chatting(&bob, "alice"));
    right.focus(false);
    // What follows the loss of focus on the same keyboard shows that it was heard.
    right.press("away");
    right.wait_until("what was typed", |screen| composer(screen).as_deref() == Some("away"));
    left.enter("Can you see this?");
    right.wait_for("Can you see this?");
    wait_tick(&left, "Can you see this?", "✓✓");
    left.enter("And this?");
    right.wait_for("And this?");
    let screen = wait_tick(&left, "And this?", "✓✓");
    assert!(!row(&screen, "Can you see this?").unwrap().contains('•'), "{screen}");
    assert_screen!("unread_without_focus", right);
    right.focus(true);
    wait_tick(&left, "Can you see this?", "✓✓•");
    wait_tick(&left, "And this?", "✓✓•");
    quit(left);
    quit(right);
    finish(relay);
}

#[test]
fn what_is_scrolled_out_of_sight_is_not_read() {
    let (relay, alice, bob) = two();
    say_all(&alice, &bob, (0..60).map(|number| format!("old {number}.")));
    bob.recv(&["--follow", "--limit", "60", "--timeout", "60s"]).ok();
    let (left, right) = (chatting(&alice, "bob"), chatting(&bob, "alice"));
    wait_tick(&left, "old 59.", "✓✓•");
    right.wait_until("the end", |screen| row(screen, "old 59.").is_some());
    right.key(Key::PageUp);
    right.wait_until("the end to go", |screen| row(screen, "old 59.").is_none());
    left.enter("Below the edge.");
    wait_tick(&left, "Below the edge.", "✓✓");
    left.enter("Further below.");
    let screen = wait_tick(&left, "Further below.", "✓✓");
    assert!(!row(&screen, "Below the edge.").unwrap().contains('•'), "{screen}");
    right.key(Key::PageDown);
    right.key(Key::PageDown);
    right.wait_until("the end", |screen| row(screen, "Further below.").is_some());
    wait_tick(&left, "Further below.", "✓✓•");
    quit(left);
    quit(right);
    finish(relay);
}

#[test]
fn a_chat_that_is_not_open_stays_unread() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let (left, right) = (chatting(&alice, "bob"), online(&bob));
    left.enter("Whenever you like.");
    right.wait_for("(1)");
    wait_tick(&left, "Whenever you like.", "✓✓");
    chat(&right, "alice");
    wait_tick(&left, "Whenever you like.", "✓✓•");
    right.wait_gone("(1)");
    quit(left);
    quit(right);
    finish(relay);
}

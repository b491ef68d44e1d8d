//! Windows of any size, changed at any pace.

use super::common::*;
use aside_tests::Key;

/// Sizes without order, the same on every run; some are too small for anything.
fn sizes() -> impl Iterator<Item = (u16, u16)> {
    (1_u32..=120).map(|n| {
        let mixed = n.wrapping_mul(2_654_435_761);
        ((mixed % 220) as u16 + 1, (mixed / 220 % 70) as u16 + 1)
    })
}

#[test]
fn a_storm_of_sizes_ends_in_the_same_screen() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut left = chatting(&alice, "bob");
    let before = writing(&left, "being written");
    for (columns, rows) in sizes() {
        left.resize(columns, rows);
    }
    left.resize(SIZE.0, SIZE.1);
    left.wait_until("the screen as it was", |screen| screen == before);
    assert!(left.is_running());
    quit(left);
    finish(relay);
}

#[test]
fn a_storm_under_messages_and_keys_stops_nothing() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let (left, right) = (chatting(&alice, "bob"), chatting(&bob, "alice"));
    for (number, (columns, rows)) in sizes().enumerate() {
        left.resize(columns, rows);
        left.press("x");
        if number % 6 == 0 {
            right.enter(&format!("storm {number}"));
            left.key(Key::PageUp);
        }
    }
    left.resize(SIZE.0, SIZE.1);
    left.key(Key::Alt('>'));
    left.wait_for("storm 114");
    left.wait_until("all that was typed", |screen| screen.matches('x').count() >= 120);
    quit(left);
    quit(right);
    finish(relay);
}

#[test]
fn a_window_too_small_says_so() {
    let (relay, alice, _) = two();
    let left = online(&alice);
    left.resize(18, 5);
    left.wait_for("Too small");
    left.resize(SIZE.0, SIZE.1);
    left.wait_for("online");
    quit(left);
    finish(relay);
}

//! Two people write to each other.

use super::common::*;
use aside_tests::Key;

#[test]
fn two_people_who_never_met_type_to_each_other() {
    let (relay, alice, bob) = two();
    let left = online(&alice);
    assert_screen!("nobody_known", left);
    chat(&left, "bob");
    left.enter("Hello Bob, this is Alice.");
    wait_tick(&left, "Hello Bob", "✓");
    let right = online(&bob);
    right.wait_for("alice");
    right.wait_for("(1)");
    wait_tick(&left, "Hello Bob", "✓✓");
    assert_screen!("one_unread", right);
    chat(&right, "alice");
    right.wait_for("Hello Bob, this is Alice.");
    wait_tick(&left, "Hello Bob", "✓✓•");
    right.enter("Hello Alice! How is the train?");
    left.wait_for("How is the train?");
    wait_tick(&right, "How is the train?", "✓✓•");
    left.press("Late again.");
    left.key(Key::AltEnter);
    left.enter("But there is coffee: https://example.org/coffee");
    right.wait_for("But there is coffee");
    wait_tick(&left, "example.org/coffee", "✓✓•");
    for (columns, rows) in [(40, 12), (80, 24), (200, 60)] {
        left.resize(columns, rows);
        right.resize(columns, rows);
        for (terminal, name) in [(&left, "alice"), (&right, "bob")] {
            terminal.wait_until("a screen of the new size", |screen| {
                let status = screen.lines().last().unwrap_or_default();
                screen.contains("coffee") && status.starts_with(" online") && status.ends_with("help")
            });
            assert_screen!(format!("talk_{name}_{columns}x{rows}"), terminal);
        }
    }
    quit(left);
    quit(right);
    let wanted = ["Hello Bob, this is Alice.", "Hello Alice! How is the train?"];
    assert_eq!(texts(&bob, "alice")[..2], wanted);
    assert_eq!(texts(&alice, "bob"), texts(&bob, "alice"));
    finish(relay);
}

#[test]
fn what_both_write_at_once_ends_in_one_conversation() {
    let (relay, alice, bob) = two();
    let (left, right) = (online(&alice), online(&bob));
    chat(&left, "bob");
    chat(&right, "alice");
    left.enter("from the left");
    right.enter("from the right");
    for terminal in [&left, &right] {
        terminal.wait_for("from the left");
        terminal.wait_for("from the right");
    }
    wait_tick(&left, "from the left", "✓✓•");
    wait_tick(&right, "from the right", "✓✓•");
    quit(left);
    quit(right);
    assert_eq!(texts(&alice, "bob"), texts(&bob, "alice"));
    finish(relay);
}

#[test]
fn a_burst_arrives_whole_and_in_order() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let (left, right) = (chatting(&alice, "bob"), chatting(&bob, "alice"));
    for number in 1..=60 {
        left.enter(&format!("number {number}."));
    }
    right.wait_for("number 60.");
    wait_tick(&left, "number 60.", "✓✓•");
    quit(left);
    quit(right);
    let wanted: Vec<String> = (1..=60).map(|number| format!("number {number}.")).collect();
    assert_eq!(texts(&bob, "alice")[2..], wanted);
    finish(relay);
}

//! Pasting little and much.

use super::common::*;
use aside_tests::Key;

#[test]
fn a_megabyte_is_refused_in_words_and_nothing_is_lost() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let left = chatting(&alice, "bob");
    left.press("before ");
    left.wait_until("what was typed", |screen| composer(screen).is_some_and(|text| text.starts_with("before")));
    left.paste(&"0123456789abcde\n".repeat(1 << 16));
    left.wait_for("1025 KiB");
    left.wait_for("a message holds 60");
    assert_screen!("paste_refused", left);
    left.enter("and after");
    wait_tick(&left, "before and after", "✓");
    quit(left);
    assert_eq!(texts(&alice, "bob").last().unwrap(), "before and after");
    finish(relay);
}

#[test]
fn twenty_kibibytes_are_sent_whole() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let left = chatting(&alice, "bob");
    let lines: Vec<String> = (0..700).map(|number| format!("line {number:04} of what was pasted")).collect();
    let text = lines.join("\n");
    assert!(text.len() > 19 << 10);
    left.paste(&text);
    left.wait_until("the end of it in the composer", |screen| screen.contains("line 0699"));
    assert_screen!("paste_in_composer", left);
    left.key(Key::Enter);
    wait_tick(&left, "line 0699", "✓");
    quit(left);
    bob.recv(&["--follow", "--limit", "1", "--timeout", "60s"]).ok();
    assert_eq!(texts(&bob, "alice").last().unwrap(), &text);
    finish(relay);
}

#[test]
fn a_pasted_line_end_does_not_send() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let left = chatting(&alice, "bob");
    left.paste("first\nsecond\n");
    left.wait_for("second");
    left.press("third");
    left.wait_for("third");
    left.key(Key::Enter);
    wait_tick(&left, "third", "✓");
    quit(left);
    assert_eq!(texts(&alice, "bob")[2..], ["first\nsecond\nthird"]);
    finish(relay);
}

//! What a peer writes cannot reach the terminal's own commands.

use super::common::*;

/// Titles, clipboard, colours, cursor, other screens, bells, in 7 and 8 bits; and letters that turn text around.
const HOSTILE: &str = "start \x1b]0;owned\x07 \x1b]52;c;b3duZWQ=\x07 \x1b[2J\x1b[H \x1b[31mred \x1b[?1049l \x1bc \
    \u{9b}31m \u{9d}0;owned\u{9c} \x07\x08\x08 \x0e \x7f \u{202e}turned\u{202c} \u{2066}x\u{2069} end";

fn holds(raw: &[u8], bytes: &[u8]) -> bool {
    raw.windows(bytes.len()).any(|window| window == bytes)
}

#[test]
fn escape_sequences_from_a_peer_are_seen_and_not_obeyed() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let right = chatting(&bob, "alice");
    alice.send("bob", HOSTILE, &[]).ok();
    right.wait_for("start ");
    right.wait_for(" end");
    assert!(right.alarms().is_empty(), "the terminal was asked for {:?}", right.alarms());
    let raw = right.raw();
    for bytes in
        ["\x1b]0;", "\x1b]52", "\x1b[2J\x1b[H ", "\x1bc", "\u{9b}", "\u{9d}", "\x07", "\x0e", "\u{202e}", "\u{2066}"]
    {
        assert!(!holds(&raw, bytes.as_bytes()), "{bytes:?} reached the terminal");
    }
    right.with_screen(|screen| assert!(screen.alternate_screen(), "the peer left our screen"));
    assert_screen!("hostile_text", right);
    quit(right);
    finish(relay);
}

#[test]
fn an_address_cannot_smuggle_anything_into_its_link() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let right = chatting(&bob, "alice");
    alice
        .send("bob", "see https://example.org/a\x1b]8;;https://evil.example\x07b and https://example.org/ok", &[])
        .ok();
    right.wait_for("example.org/ok");
    right.wait_raw("the good link", |raw| holds(raw, b"https://example.org/ok\x1b\\"));
    let raw = right.raw();
    assert!(!holds(&raw, b";https://evil.example\x07") && !holds(&raw, b";https://evil.example\x1b\\"));
    assert!(right.alarms().is_empty());
    quit(right);
    finish(relay);
}

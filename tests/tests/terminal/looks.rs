//! Colours, and doing without; links.

use super::common::*;

/// Whether the bytes set any colour of letters or ground.
fn coloured(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    text.match_indices("\x1b[").any(|(at, _)| {
        let rest = &text[at + 2..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(0);
        let colour = |code: &str| code.parse::<u8>().is_ok_and(|code| matches!(code, 30..=38 | 40..=48 | 90..=107));
        rest[end..].starts_with('m') && rest[..end].split(';').any(colour)
    })
}

#[test]
fn without_colours_everything_is_still_said() {
    let (relay, mut alice, bob) = two();
    acquaint(&alice, &bob);
    say(&bob, &alice, "In what colour?");
    let colourful = chatting(&alice, "bob");
    assert!(coloured(&colourful.raw()));
    quit(colourful);
    alice.set_env("NO_COLOR", "1");
    let plain = chatting(&alice, "bob");
    plain.enter("In none.");
    wait_tick(&plain, "In none.", "✓");
    assert!(!coloured(&plain.raw()));
    quit(plain);
    finish(relay);
}

#[test]
fn links_are_links_where_terminals_know_them() {
    let (relay, mut alice, bob) = two();
    acquaint(&alice, &bob);
    say(&bob, &alice, "see https://example.org/a?b=c.");
    let link = b";https://example.org/a?b=c\x1b\\";
    let left = chatting(&alice, "bob");
    left.wait_for("see https://example.org/a?b=c.");
    left.wait_raw("the link", |raw| raw.windows(link.len()).any(|window| window == link));
    quit(left);
    alice.set_env("TERM", "linux");
    let console = chatting(&alice, "bob");
    console.wait_for("see https://example.org/a?b=c.");
    assert!(!console.raw().windows(4).any(|window| window == b"\x1b]8;"), "{}", console.screen());
    quit(console);
    finish(relay);
}

#[test]
fn wide_letters_stay_in_their_columns() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    for text in ["漢字かな交じり文", "한국어", "naïve café e\u{301}", "שלום עולם", "tab\there"] {
        say(&bob, &alice, text);
    }
    let left = chatting(&alice, "bob");
    left.wait_for("here");
    assert_screen!("wide_letters", left);
    quit(left);
    finish(relay);
}

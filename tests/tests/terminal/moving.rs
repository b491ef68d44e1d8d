//! From chat to chat, and through a history.

use super::common::*;
use aside_tests::{Client, Key, Terminal};

/// Alice, who has chats with bob and carol, the newest first; something from carol is unread.
fn three() -> (aside_tests::Relay, Client, Client, Client) {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let carol = Client::registered("carol", relay.first_invite());
    acquaint(&alice, &carol);
    say(&carol, &alice, "Unread.");
    (relay, alice, bob, carol)
}

/// The open conversation's title.
fn title(terminal: &Terminal, name: &str) {
    terminal.wait_until(&format!("the chat with {name}"), |screen| {
        let first = screen.lines().next().unwrap_or_default();
        first.split_once('│').is_some_and(|(_, title)| title.split_whitespace().next() == Some(name))
    });
}

#[test]
fn keys_lead_from_chat_to_chat() {
    let (relay, alice, _, _) = three();
    let left = online(&alice);
    left.wait_for("(1)");
    left.key(Key::Alt('a'));
    title(&left, "carol");
    left.wait_gone("(1)");
    left.key(Key::AltDown);
    title(&left, "bob");
    left.key(Key::AltUp);
    title(&left, "carol");
    left.key(Key::Esc);
    left.wait_for("Enter open");
    left.key(Key::Down);
    left.key(Key::Enter);
    title(&left, "bob");
    left.key(Key::Alt('a'));
    left.wait_for("Nothing is unread.");
    quit(left);
    finish(relay);
}

#[test]
fn the_switcher_finds_by_some_letters_and_says_who_is_not_known() {
    let (relay, alice, _, _) = three();
    let left = online(&alice);
    left.wait_for("carol");
    left.key(Key::Ctrl('p'));
    left.wait_for("Find or begin a chat");
    left.press("crl");
    left.wait_for("> crl");
    left.key(Key::Enter);
    title(&left, "carol");
    left.wait_until("what carol wrote to be read", |screen| {
        row(screen, "Unread.").is_some() && !screen.contains("(1)")
    });
    left.key(Key::Ctrl('p'));
    left.wait_for("Find or begin a chat");
    left.press("nobody-here");
    left.wait_for("Write to nobody-here");
    left.key(Key::Enter);
    left.wait_until("an answer", |screen| {
        screen.contains("nobody") && screen.contains("Find or begin a chat") && !screen.contains("Asking")
    });
    assert_screen!("nobody_here", left);
    left.key(Key::Esc);
    left.wait_gone("Find or begin a chat");
    quit(left);
    finish(relay);
}

#[test]
fn help_and_info_can_be_read_and_closed() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let (left, right) = (online(&alice), online(&bob));
    left.wait_for("bob");
    left.press("?");
    left.wait_for("↑↓ scroll");
    assert_screen!("help", left);
    left.key(Key::Esc);
    left.wait_gone("↑↓ scroll");
    left.press("i");
    right.wait_for("alice");
    right.press("i");
    let numbers: Vec<String> = [&left, &right].map(|terminal| safety_number(&terminal.wait_for("Account:"))).into();
    assert_eq!(numbers[0].len(), 60, "{numbers:?}");
    assert_eq!(numbers[0], numbers[1], "both see the same number");
    assert_screen!("info", left);
    left.key(Key::Esc);
    left.wait_gone("Account:");
    quit(left);
    quit(right);
    finish(relay);
}

/// The digits in groups of five.
fn safety_number(screen: &str) -> String {
    let is_group = |word: &&str| word.len() == 5 && word.chars().all(|c| c.is_ascii_digit());
    screen.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_group).collect()
}

#[test]
fn a_history_is_paged_and_scrolled_to_its_beginning_and_back() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    say_all(&alice, &bob, (0..300).map(|number| format!("line {number:03}.")));
    let left = chatting(&alice, "bob");
    left.wait_until("the end", |screen| row(screen, "line 299.").is_some());
    left.wheel_up(60, 10);
    left.wait_until("the end to go", |screen| row(screen, "line 299.").is_none());
    left.wheel_down(60, 10);
    left.wait_until("the end", |screen| row(screen, "line 299.").is_some());
    // Each page is read when it is wanted, so each press waits for what the one before has brought.
    let mut screen = left.screen();
    while row(&screen, "Hello bob").is_none() {
        left.key(Key::PageUp);
        let before = screen;
        screen = left.wait_until("another page", |now| now != before);
    }
    left.wait_for("line 000.");
    left.key(Key::Alt('>'));
    left.wait_until("the end", |screen| row(screen, "line 299.").is_some());
    quit(left);
    finish(relay);
}

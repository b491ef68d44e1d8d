//! Several devices, and joining a channel by its link, from the screen alone.

use super::common::*;
use aside_tests::{Client, Key, Relay, RelayOptions, Terminal};

/// What a link or code became in rows of the screen.
fn secret(screen: &str, prefix: &str) -> String {
    let from = screen.find(prefix).unwrap_or_else(|| panic!("{prefix}: {screen}"));
    let rows = screen[from..].lines().take_while(|row| !row.trim().is_empty() && !row.starts_with("x end"));
    rows.map(str::trim).collect()
}

/// Opens the devices and begins to let another one in; its code.
fn begin(host: &Terminal) -> String {
    host.key(Key::Alt('l'));
    host.wait_for("Your devices");
    host.press("a");
    let screen = host.wait_until("the code", |screen| screen.contains("aside://link/") && screen.contains("QR code"));
    secret(&screen, "aside://link/")
}

#[test]
fn a_second_device_is_let_in_gets_the_history_and_is_removed_again() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let host = online(&alice);
    let code = begin(&host);
    let laptop = Client::new("laptop");
    let guest = Terminal::start(&laptop, &[], SIZE.0, SIZE.1);
    guest.wait_for("Welcome to aside");
    guest.paste(&code);
    guest.wait_for("The code of another device");
    guest.key(Key::Enter);
    let asked = host.wait_for("Is this your machine");
    let told = guest.wait_for("has answered for alice");
    let fingerprint = |screen: &str| {
        let groups = |row: &&str| row.split_whitespace().filter(|word| word.len() == 4).count() == 5;
        let row = screen.lines().map(|row| row.trim_matches(|c: char| "│ ".contains(c))).find(groups);
        row.unwrap_or_else(|| panic!("a fingerprint: {screen}")).split('│').next_back().unwrap().trim().to_owned()
    };
    let words = |screen: &str| {
        let hex = |word: &&str| word.len() == 4 && word.chars().all(|c| c.is_ascii_hexdigit());
        screen.split_whitespace().filter(hex).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(words(&told).len() >= 5 && words(&fingerprint(&asked)) == words(&fingerprint(&told)));
    host.press("y");
    host.wait_for("Which messages may it have");
    host.press("a");
    host.wait_for("is a device of yours now. It is in all of your chats.");
    host.key(Key::Enter);
    host.wait_for("this one");
    guest.wait_for("online");
    guest.wait_for("bob");
    chat(&guest, "bob");
    guest.wait_for("Hello bob");
    guest.wait_for("Hello alice");
    guest.enter("from the laptop");
    host.key(Key::Esc);
    host.wait_gone("Your devices");
    chat(&host, "bob");
    host.wait_for("from the laptop");
    host.key(Key::Alt('l'));
    host.wait_for("this one");
    host.key(Key::Down);
    host.press("x");
    host.wait_for("for good?");
    host.press("y");
    guest.wait_for("removed");
    quit(host);
    quit(guest);
    assert_eq!(texts(&alice, "bob"), ["Hello bob", "Hello alice", "from the laptop"]);
    finish(relay);
}

#[test]
fn whoever_says_no_lets_nobody_in() {
    let (relay, alice, _bob) = two();
    let host = online(&alice);
    let code = begin(&host);
    let laptop = Client::new("laptop");
    let guest = Terminal::start(&laptop, &[], SIZE.0, SIZE.1);
    guest.wait_for("Welcome to aside");
    guest.paste(&code);
    guest.key(Key::Enter);
    host.wait_for("Is this your machine");
    host.press("n");
    host.wait_for("was not let in");
    guest.wait_for("The other device said no");
    quit(host);
    guest.key(Key::Ctrl('c'));
    guest.wait_for("Ctrl-C again leaves");
    guest.key(Key::Ctrl('c'));
    finish(relay);
}

#[test]
fn a_channel_is_joined_by_its_link() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let bob = Client::registered("bob", relay.first_invite());
    let (left, right) = (online(&alice), online(&bob));
    left.key(Key::Alt('g'));
    left.wait_for("A new group");
    left.key(Key::Tab);
    left.wait_for("A new channel");
    left.enter("news");
    left.wait_for("Who is in");
    left.key(Key::Enter);
    left.wait_until("the composer", |screen| composer(screen).is_some());
    left.wait_for("»news");
    left.key(Key::Alt('i'));
    left.wait_for("you are an owner");
    left.press("k");
    let screen = left.wait_until("the link", |screen| screen.contains("aside://channel/") && screen.contains("QR"));
    let link = secret(&screen, "aside://channel/");
    left.key(Key::Esc);
    left.wait_gone("Join link");
    right.key(Key::Ctrl('p'));
    right.wait_for("Find or begin a chat");
    right.paste(&link);
    right.wait_for("Join the channel of this link");
    right.key(Key::Enter);
    right.wait_for("added you to the channel");
    left.enter("the first news");
    right.wait_for("the first news");
    right.wait_for("Only owners and admins write");
    quit(left);
    quit(right);
    finish(relay);
}

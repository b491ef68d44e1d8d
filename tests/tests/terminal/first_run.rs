//! From nothing to the first chat, without another command.

use super::common::*;
use aside_tests::{Client, Key, Relay, RelayOptions, Terminal};

fn start(client: &Client) -> Terminal {
    Terminal::start(client, &[], SIZE.0, SIZE.1)
}

/// Invite and name; ends where the words are shown.
fn register(terminal: &Terminal, invite: &str, name: &str) -> Vec<String> {
    terminal.wait_for("Welcome to aside");
    terminal.paste(invite);
    terminal.key(Key::Enter);
    terminal.wait_for("Your name");
    terminal.enter(name);
    words(&terminal.wait_for("Your 24 recovery words"))
}

/// The words, which stand after their numbers.
fn words(screen: &str) -> Vec<String> {
    let parts: Vec<&str> = screen.split_whitespace().collect();
    let after = |number: usize| {
        let at =
            parts.iter().rposition(|part| *part == number.to_string()).unwrap_or_else(|| panic!("{number}: {screen}"));
        parts[at + 1].to_owned()
    };
    (1..=24).map(after).collect()
}

/// Types back the three that are asked for.
fn check(terminal: &Terminal, words: &[String]) {
    for turn in 1..=3 {
        let screen = terminal.wait_for(&format!("({turn} of 3)"));
        let asked = screen.lines().find(|row| row.contains(" of 3)")).unwrap();
        let number: usize =
            asked.split_whitespace().skip_while(|word| *word != "Word").nth(1).unwrap().parse().unwrap();
        terminal.enter(&words[number - 1]);
    }
}

#[test]
fn a_newcomer_registers_checks_the_words_and_writes() {
    let relay = Relay::start(RelayOptions::default());
    let bob = Client::registered("bob", relay.first_invite());
    let alice = Client::new("alice");
    let terminal = start(&alice);
    terminal.wait_for("Welcome to aside");
    assert_screen!("welcome", terminal);
    let words = register(&terminal, relay.first_invite(), "alice");
    terminal.key(Key::Enter);
    terminal.wait_for("(1 of 3)");
    terminal.enter("certainly-not");
    terminal.wait_for("That is not word");
    terminal.key(Key::Ctrl('u'));
    check(&terminal, &words);
    terminal.wait_for("online");
    chat(&terminal, "bob");
    terminal.enter("My first words.");
    wait_tick(&terminal, "My first words.", "✓");
    quit(terminal);
    bob.recv(&["--follow", "--limit", "1", "--timeout", "60s"]).ok();
    let left: Vec<_> = aside_tests::search::files(alice.home())
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("words"))
        .collect();
    assert!(left.is_empty(), "the words lie about: {left:?}");
    finish(relay);
}

#[test]
fn the_words_are_shown_again_until_they_were_seen() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::new("alice");
    let mut first = start(&alice);
    let words_first = register(&first, relay.first_invite(), "alice");
    first.kill();
    let second = start(&alice);
    assert_eq!(words(&second.wait_for("Your 24 recovery words")), words_first);
    second.press("s");
    second.wait_for("Skip without checking?");
    second.press("y");
    second.wait_for("online");
    quit(second);
    let third = online(&alice);
    third.wait_for("No chats yet");
    quit(third);
    finish(relay);
}

#[test]
fn what_is_wrong_is_said_where_it_can_be_mended() {
    let relay = Relay::start(RelayOptions::default());
    let _bob = Client::registered("bob", relay.first_invite());
    let alice = Client::new("alice");
    let terminal = start(&alice);
    terminal.wait_for("Welcome to aside");
    terminal.enter("not an invite");
    terminal.wait_for("cannot be used");
    terminal.key(Key::Ctrl('u'));
    terminal.paste(relay.first_invite());
    terminal.key(Key::Enter);
    terminal.wait_for("Your name");
    terminal.enter("bob");
    terminal.wait_for("taken");
    assert_screen!("name_taken", terminal);
    terminal.key(Key::Ctrl('u'));
    terminal.enter("alice");
    terminal.wait_for("Your 24 recovery words");
    quit_setup(terminal);
    finish(relay);
}

#[test]
fn leaving_a_first_run_leaves_the_terminal_too() {
    let alice = Client::new("alice");
    let terminal = start(&alice);
    terminal.wait_for("Welcome to aside");
    quit_setup(terminal);
}

#[track_caller]
fn quit_setup(mut terminal: Terminal) {
    terminal.key(Key::Ctrl('c'));
    terminal.wait_for("Ctrl-C again leaves");
    terminal.key(Key::Ctrl('c'));
    terminal.wait_exit();
    assert!(terminal.is_restored());
}

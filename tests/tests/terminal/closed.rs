//! Profiles and relays that cannot be used: one plain screen each, and it says what to do.

use super::common::*;
use aside_tests::{Client, Key, Relay, RelayOptions, Terminal};
use rusqlite::Connection;
use std::fs;

fn start(client: &Client) -> Terminal {
    Terminal::start(client, &[], SIZE.0, SIZE.1)
}

#[test]
fn a_profile_in_use_says_by_whom_and_opens_once_it_is_free() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let mut first = online(&alice);
    let second = start(&alice);
    second.wait_for("This profile is in use");
    second.wait_for(&first.pid().to_string());
    second.wait_for("start aside -P NAME");
    first.kill();
    second.key(Key::Enter);
    second.wait_for("online");
    quit(second);
    finish(relay);
}

#[test]
fn a_newer_database_wants_a_newer_program() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let profile = alice.home().join("profiles/default");
    let key = data_encoding::HEXLOWER.encode(&fs::read(profile.join("db.key")).unwrap());
    let database = Connection::open(profile.join("history.db")).unwrap();
    database.pragma_update(None, "key", format!("x'{key}'")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let mut terminal = start(&alice);
    terminal.wait_for("Your history needs a newer aside");
    assert_screen!("newer_database", terminal);
    terminal.press("q");
    terminal.wait_exit();
    assert!(terminal.is_restored());
    finish(relay);
}

#[test]
fn a_damaged_database_says_so() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    fs::write(alice.home().join("profiles/default/history.db"), [0x5a; 1 << 16]).unwrap();
    let mut terminal = start(&alice);
    terminal.wait_for("Your history cannot be read");
    assert_screen!("damaged", terminal);
    terminal.key(Key::Ctrl('c'));
    terminal.key(Key::Ctrl('c'));
    terminal.wait_exit();
    assert!(terminal.is_restored());
    finish(relay);
}

#[test]
fn another_relay_in_place_of_the_own_is_refused_and_explained() {
    let (relay, alice, bob) = two_at(RelayOptions::proxied());
    acquaint(&alice, &bob);
    let other = Relay::start(RelayOptions::default());
    relay.proxy().forward_to(other.address());
    let terminal = start(&alice);
    terminal.wait_for("Wrong relay");
    assert_screen!("wrong_relay", terminal);
    terminal.key(Key::Esc);
    terminal.wait_gone("Wrong relay");
    chat(&terminal, "bob");
    terminal.wait_for("Hello bob");
    quit(terminal);
    finish(other);
    finish(relay);
}

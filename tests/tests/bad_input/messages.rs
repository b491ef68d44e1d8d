//! Messages that cannot be sent, to people who are not there, through a relay that is away; and arguments that are none.

use super::said::{fails_saying, wrong_usage};
use aside_protocol::limits::MAX_TEXT;
use aside_tests::{Client, Relay, RelayOptions};

fn pair(relay: &Relay) -> (Client, Client) {
    let alice = Client::registered("alice", relay.first_invite());
    (alice, Client::registered("bob", relay.first_invite()))
}

#[test]
fn people_who_are_not_there_and_texts_that_cannot_be_sent() {
    let relay = Relay::start(RelayOptions::default());
    let (alice, bob) = pair(&relay);
    fails_saying(alice.send("nobody", "hi", &[]), 1, &["nobody is called nobody", "exact name"]);
    fails_saying(alice.send("No Name", "hi", &[]), 2, &["3 to 32 characters"]);
    fails_saying(alice.send("bob", "", &[]), 2, &["the message is empty", "give a text"]);
    fails_saying(alice.run_with(&["send", "bob", "-"], b"\xff\xfe\xfd"), 1, &["standard input", "UTF-8"]);
    fails_saying(alice.history("bob", &[]), 1, &["no chat with bob yet", "aside chats"]);
    assert!(alice.chats().ok().stdout.is_empty(), "nothing of this made a chat");
    assert!(bob.recv(&["--timeout", "1s"]).ok().stdout.is_empty());
    relay.finish();
}

#[test]
fn a_message_is_as_long_as_the_limit_and_no_longer() {
    let relay = Relay::start(RelayOptions::default());
    let (alice, bob) = pair(&relay);
    let too_long = ["bytes", &MAX_TEXT.to_string(), "send it in parts"];
    fails_saying(alice.send("bob", &"x".repeat(MAX_TEXT + 1), &[]), 5, &too_long);
    fails_saying(alice.run(&["send", "bob", &"x".repeat(MAX_TEXT + 1)]), 5, &too_long);
    // Characters of three bytes: wherever reading stops, the text is too long and not ill-formed.
    for text in ["€".repeat(MAX_TEXT), "é".repeat(MAX_TEXT), format!("x{}", "🦀".repeat(MAX_TEXT))] {
        fails_saying(alice.send("bob", &text, &[]), 5, &too_long);
    }
    let longest = "€".repeat(MAX_TEXT / 3);
    alice.send("bob", &longest, &[]).ok();
    assert_eq!(bob.recv(&["--limit", "1"]).ok().one()["text"], longest.as_str());
    assert!(bob.recv(&["--timeout", "1s"]).ok().stdout.is_empty());
    relay.finish();
}

#[test]
fn without_a_relay_a_message_waits_and_goes_out_later() {
    let mut relay = Relay::start(RelayOptions::default());
    let (alice, bob) = pair(&relay);
    alice.send("bob", "before", &[]).ok();
    relay.kill();
    // With --json the message's state is data; the sentence stands on standard error.
    let waiting = alice.send("bob", "meanwhile", &["--timeout", "4s"]).expect_code(6);
    assert_eq!(waiting.one()["status"], "pending");
    assert_eq!(waiting.stderr.lines().count(), 1);
    assert!(waiting.stderr.contains("stays in the outbox") && waiting.stderr.contains("next command"), "{waiting:?}");
    // Nobody who has not been met can be looked up.
    fails_saying(
        alice.send("carol", "hi", &["--timeout", "4s"]),
        3,
        &["cannot look carol up", "cannot reach the relay"],
    );
    fails_saying(bob.recv(&["--timeout", "4s"]), 3, &["cannot reach the relay", "Check your connection"]);
    relay.restart();
    alice.recv(&["--timeout", "5s"]).ok();
    let texts: Vec<_> = bob.recv(&["--timeout", "5s"]).ok().json().iter().map(|m| m["text"].clone()).collect();
    assert_eq!(texts, ["before", "meanwhile"]);
    relay.finish();
}

#[test]
fn waiting_for_somebody_who_is_away_ends_in_time() {
    let relay = Relay::start(RelayOptions::default());
    let (alice, _bob) = pair(&relay);
    let run = alice.send("bob", "are you there", &["--wait", "read", "--timeout", "4s"]).expect_code(6);
    assert_eq!(run.one()["status"], "sent");
    assert!(run.stderr.contains("sent, but not read yet"), "{run:?}");
    relay.finish();
}

#[test]
fn wrong_arguments_show_the_usage() {
    let client = Client::new("alice");
    wrong_usage(client.run(&[]), &["opens chats in a terminal", "aside --help"]);
    wrong_usage(client.run(&["sned"]), &["sned", "Usage"]);
    wrong_usage(client.run(&["send"]), &["<NAME>", "Usage"]);
    wrong_usage(client.run(&["register", "aside://join/x"]), &["--name"]);
    wrong_usage(client.run(&["send", "bob", "hi", "--wait", "forever"]), &["sent, delivered, read"]);
    wrong_usage(client.run(&["send", "bob", "hi", "--timeout", "soon"]), &["30s"]);
    wrong_usage(client.run(&["send", "bob", "hi", "--id", "seven"]), &["--id"]);
    wrong_usage(client.run(&["recv", "--limit", "few"]), &["--limit"]);
    wrong_usage(client.run(&["history", "bob", "--limit", "0"]), &["1..=100"]);
    wrong_usage(client.run(&["history", "bob", "--limit", "101"]), &["1..=100"]);
    wrong_usage(client.run(&["history", "bob", "--before", "yesterday"]), &["--before"]);
}

#[test]
fn settings_that_are_none_are_named() {
    let mut client = Client::new("alice");
    for profile in ["../up", "", "a b", "x/y"] {
        fails_saying(client.run(&["-P", profile, "whoami"]), 2, &["a profile's name has 1 to 64"]);
    }
    client.set_env("ASIDE_UPDATE_AFTER_MESSAGES", "often");
    fails_saying(client.whoami(), 2, &["ASIDE_UPDATE_AFTER_MESSAGES must be a number", "often"]);
    let client = Client::new("alice");
    let settings = client.home().join("config.toml");
    std::fs::write(&settings, "profile = [").unwrap();
    let run = client.whoami().expect_code(2);
    assert!(run.stderr.contains("cannot understand") && run.stderr.contains("config.toml"), "{run:?}");
    std::fs::remove_file(&settings).unwrap();
    std::fs::create_dir(&settings).unwrap();
    fails_saying(client.whoami(), 2, &["cannot read", "config.toml"]);
}

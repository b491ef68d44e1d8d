//! The client's disk is full: a clear error, the right exit code, nothing corrupted, everything there afterwards.

use super::common::*;
use aside_tests::{Background, Client, limited, process, wait_for};
use std::time::Duration;

/// Some room for the journal, which a few messages fill: 64 KiB.
const LITTLE: u64 = 128;

fn run_limited(client: &Client, args: &[&str], blocks: u64, stdin: &[u8]) -> aside_tests::Run {
    process::run(&mut limited(&client.command(args), blocks), stdin, Duration::from_secs(60))
}

#[test]
fn sending_says_so_and_loses_nothing() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let run = run_limited(&alice, &["send", "bob", "no room", "--json", "--timeout", "10s"], 0, b"");
    fails_with(run, 1, "disk is full");
    // With a little room some go out and some do not; each is either accepted whole or refused whole.
    let mut accepted = Vec::new();
    for n in 0..12 {
        let text = format!("{n} {}", "x".repeat(12_000));
        let run = run_limited(&alice, &["send", "bob", "-", "--json", "--timeout", "3s"], LITTLE, text.as_bytes());
        match run.code {
            Some(0 | 6) => accepted.push(text),
            _ => drop(fails_with(run, 1, "disk is full")),
        }
    }
    let own = told(&history(&alice, "bob"), true);
    for text in &accepted {
        assert!(own.contains(text), "an accepted message is in the history");
    }
    say(&alice, &bob, "room again");
    let expected: Vec<&str> = own[1..].iter().map(String::as_str).chain(["room again"]).collect();
    hear(&bob, &expected);
    let after = told(&history(&alice, "bob"), true);
    assert_eq!(after.len(), own.len() + 1, "nothing was lost");
    deliver(&bob, &alice, "and back");
    finish(relay);
}

#[test]
fn receiving_says_so_and_loses_nothing() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let texts: Vec<String> = (0..40).map(|n| format!("{n} {}", "y".repeat(4_000))).collect();
    alice.run_with(&["talk", "bob"], texts.join("\n").as_bytes()).ok();
    let wanted: Vec<&str> = texts.iter().map(String::as_str).collect();
    let none = run_limited(&bob, &["recv", "--json", "--timeout", "5s"], 0, b"");
    fails_with(none, 1, "disk is full");
    let some = run_limited(&bob, &["recv", "--json", "--timeout", "5s"], LITTLE, b"");
    let some = fails_with(some, 1, "disk is full");
    // Printed but perhaps not marked: may come again, never gets lost.
    let printed_before = texts_of(&some.json());
    assert_eq!(printed_before, wanted[..printed_before.len()]);
    let left = texts_of(&bob.recv(&["--timeout", WAIT]).ok().json());
    assert_eq!(left, wanted[wanted.len() - left.len()..]);
    assert!(printed_before.len() + left.len() >= wanted.len(), "{} and {}", printed_before.len(), left.len());
    let shown = history(&bob, "alice");
    in_order(&shown);
    assert_eq!(told(&shown, false)[1..], wanted);
    deliver(&bob, &alice, "all there");
    finish(relay);
}

/// It comes back by itself when there is room: here, when it is started again without the limit.
#[test]
fn a_follower_survives_and_is_continued() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut follower = Background::start(&mut limited(&bob.command(&["recv", "--follow", "--json"]), LITTLE));
    let texts: Vec<String> = (0..40).map(|n| format!("{n} {}", "z".repeat(4_000))).collect();
    alice.run_with(&["talk", "bob"], texts.join("\n").as_bytes()).ok();
    wait_for("the disk to be full", SOON, || follower.log().contains("disk is full") || !follower.is_running());
    let code = follower.terminate(SOON);
    assert!(follower.log().contains("disk is full"), "it says why: {:?} {}", code, follower.log());
    let before = texts_of(&follower.json());
    let after = texts_of(&bob.recv(&["--timeout", WAIT]).ok().json());
    assert_eq!(before[..], texts[..before.len()]);
    assert_eq!(after[..], texts[texts.len() - after.len()..]);
    assert!(before.len() + after.len() >= texts.len());
    assert_eq!(told(&history(&bob, "alice"), false)[1..], texts);
    finish(relay);
}

#[test]
fn registering_without_room_can_be_repeated() {
    let (relay, _alice, bob) = two();
    let client = Client::new("carol");
    let words = client.recovery_file();
    let args = ["register", relay.first_invite(), "--name", "carol", "--recovery-file", words.to_str().unwrap()];
    for blocks in [0, 64, LITTLE, 512] {
        let run = run_limited(&client, &args, blocks, b"");
        if run.code == Some(0) {
            break;
        }
        fails_with(run, 1, "full");
    }
    if client.whoami().code != Some(0) {
        client.register(relay.first_invite()).ok();
    }
    client.recv(&["--timeout", "1s"]).ok();
    say(&client, &bob, "carol is here");
    hear(&bob, &["carol is here"]);
    deliver(&bob, &client, "welcome");
    finish(relay);
}

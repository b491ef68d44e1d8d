//! What scripts rely on: ids, waits, printing once, pages.

use super::common::*;
use aside_tests::{RelayOptions, rounds};
use serde_json::Value;

const ID: &str = "0193a6b0-7c1e-7f00-8000-000000000001";

#[test]
fn the_same_id_twice_sends_one() {
    let (relay, alice, bob) = two();
    let first = alice.send("bob", "once", &["--id", ID, "--timeout", WAIT]).ok().one();
    assert_eq!((&first["id"], &first["repeated"]), (&ID.into(), &false.into()));
    let second = alice.send("bob", "another text", &["--id", ID, "--timeout", WAIT]).ok().one();
    assert_eq!((&second["id"], &second["repeated"], &second["seq"]), (&ID.into(), &true.into(), &first["seq"]));
    hear(&bob, &["once"]);
    let third = alice.send("bob", "once", &["--id", ID, "--wait", "read", "--timeout", WAIT]).ok().one();
    assert_eq!(third["status"], "read", "it reports the first one's state");
    say(&alice, &bob, "next");
    hear(&bob, &["next"]);
    assert_eq!(told(&history(&alice, "bob"), true), ["once", "next"]);
    // The same id from another device is another message.
    bob.send("alice", "mine", &["--id", ID, "--timeout", WAIT]).ok();
    hear(&alice, &["mine"]);
    finish(relay);
}

#[test]
fn waiting_ends_at_what_was_asked_for() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let delivered = alice.send("bob", "nobody there", &["--wait", "delivered", "--timeout", "1s"]).expect_code(6);
    assert_eq!(delivered.one()["status"], "sent", "{delivered:#?}");
    assert!(delivered.stderr.contains("not delivered yet"), "{delivered:#?}");
    let mut follower = bob.follow();
    let read = alice.send("bob", "read me", &["--wait", "read", "--timeout", WAIT]).ok().one();
    assert_eq!(read["status"], "read");
    printed(&follower, "read me");
    assert_eq!(follower.terminate(SOON), Some(0));
    assert_eq!(texts_of(&follower.json()), ["nobody there", "read me"]);
    let peeked = alice.send("bob", "seen but not read", &["--timeout", WAIT]).ok().one();
    assert_eq!(peeked["status"], "sent");
    bob.recv(&["--peek"]).ok();
    let read = alice.send("bob", "x", &["--wait", "read", "--timeout", "1s"]).expect_code(6);
    assert_ne!(read.one()["status"], "read");
    let statuses: Vec<Value> =
        history(&alice, "bob").iter().filter(|l| l["own"] == true).map(|l| l["status"].clone()).collect();
    assert_eq!(statuses, ["read", "read", "read", "delivered", "sent"]);
    hear(&bob, &["seen but not read", "x"]);
    finish(relay);
}

#[test]
fn a_message_that_waited_too_long_goes_out_with_the_next_command() {
    let (mut relay, alice, bob) = two_with(RelayOptions::default());
    acquaint(&alice, &bob);
    relay.kill();
    let offline = alice.send("bob", "patient", &["--timeout", "4s"]);
    let offline = fails_with(offline, 6, "stays in the outbox");
    assert!(offline.stderr.contains("cannot reach the relay"), "it says why: {offline:#?}");
    assert_eq!(offline.one()["status"], "pending");
    fails_with(alice.send("carol", "who?", &["--timeout", "4s"]), 3, "cannot look carol up");
    fails_with(alice.recv(&["--timeout", "4s"]), 3, "cannot reach the relay");
    relay.restart();
    // Any command that connects takes it along.
    alice.recv(&["--timeout", "2s"]).ok();
    hear(&bob, &["patient"]);
    say(&alice, &bob, "next");
    hear(&bob, &["next"]);
    finish(relay);
}

#[test]
fn each_message_is_printed_once_and_peeking_does_not_count() {
    let (relay, alice, bob) = two();
    for text in ["one", "two", "three"] {
        say(&alice, &bob, text);
    }
    for _ in 0..2 {
        assert_eq!(texts_of(&bob.recv(&["--peek"]).ok().json()), ["one", "two", "three"]);
    }
    let summary = bob.chats().ok().one();
    assert_eq!((&summary["name"], &summary["unread"]), (&"alice".into(), &3.into()));
    assert_eq!(texts_of(&bob.recv(&["--limit", "1"]).ok().json()), ["one"]);
    assert_eq!(texts_of(&bob.recv(&["--limit", "1", "--peek"]).ok().json()), ["two"]);
    assert_eq!(texts_of(&bob.recv(&[]).ok().json()), ["two", "three"]);
    assert!(bob.recv(&["--timeout", "1s"]).ok().stdout.is_empty());
    assert_eq!(bob.chats().ok().one()["unread"], 0);
    finish(relay);
}

/// Output that nobody takes was not printed.
#[test]
fn what_could_not_be_written_stays_new() {
    let (relay, alice, bob) = two();
    say(&alice, &bob, "precious");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let status = bob.command(&["recv", "--json"]).stdout(full).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    hear(&bob, &["precious"]);
    finish(relay);
}

#[test]
fn history_pages_by_cursor_without_overlap() {
    let (relay, alice, bob) = two();
    let count = rounds(23, 230);
    let lines: Vec<String> = (1..=count).map(|n| format!("line {n}")).collect();
    alice.run_with(&["talk", "bob"], lines.join("\n").as_bytes()).ok();
    hear(&bob, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    for (person, peer) in [(&alice, "bob"), (&bob, "alice")] {
        let (mut pages, mut before): (Vec<Vec<String>>, Option<String>) = (Vec::new(), None);
        loop {
            let mut args = vec!["--limit", "5"];
            args.extend(before.iter().flat_map(|cursor| ["--before", cursor.as_str()]));
            let page = person.history(peer, &args).ok().json();
            let (end, entries) = page.split_last().unwrap();
            assert!(entries.len() <= 5);
            pages.push(texts_of(entries));
            before = end["next"].as_str().map(str::to_owned);
            if before.is_none() {
                break;
            }
            // What comes meanwhile does not move older pages.
            if pages.len() == 2 {
                say(&bob, &alice, "meanwhile");
                hear(&alice, &["meanwhile"]);
            }
        }
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == 5), "only the oldest page may be short");
        let mut all = pages.into_iter().rev().flatten().collect::<Vec<_>>();
        all.retain(|text| text != "meanwhile");
        assert_eq!(all, lines);
    }
    fails_with(alice.history("bob", &["--before", "nonsense"]), 2, "cursor");
    fails_with(alice.history("nobody", &[]), 1, "no chat with nobody");
    finish(relay);
}

//! The 24 words bring an account back, and remove what it had.

use super::common::*;
use aside_tests::Client;
use std::fs;

#[test]
fn an_account_comes_back_and_its_lost_device_is_out() {
    let (relay, alice, bob) = acquainted();
    let words = fs::read(alice.recovery_file()).unwrap();
    let before = alice.whoami().ok().one();
    let new = Client::new("alice");
    let args = ["recover", relay.first_invite(), "--machine", "new", "--json"];
    let done = new.run_with(&args, &words).ok().one();
    assert_eq!((&done["name"], &done["account"]), (&"alice".into(), &before["account"]));
    assert_ne!(done["device"], before["device"]);
    let out = alice.recv(&["--timeout", "5s"]).expect_code(3);
    assert!(out.stderr.contains("removed from its account"), "{}", out.stderr);
    bob.send("alice", "are you back?", &["--timeout", "60s"]).ok();
    assert_eq!(texts(&follow(&new, 1)), ["are you back?"]);
    new.send("bob", "I am", &["--timeout", "60s"]).ok();
    let got = follow(&bob, 1);
    assert_eq!((texts(&got), &got[0]["key_changed"]), (vec!["I am".to_owned()], &false.into()));
    // Once more in the same profile changes nothing.
    let again = new.run_with(&args, &words).expect_code(1);
    assert!(again.stderr.contains("belongs to alice"), "{}", again.stderr);
    relay.finish();
}

#[test]
fn words_that_are_none_or_of_nobody_are_told_apart() {
    let (relay, alice, _) = acquainted();
    let words = fs::read_to_string(alice.recovery_file()).unwrap();
    let link = relay.first_invite();
    let short: Vec<&str> = words.split_whitespace().take(23).collect();
    let run = Client::new("x").run_with(&["recover", link], short.join(" ").as_bytes()).expect_code(2);
    assert!(run.stderr.contains("24 words"), "{}", run.stderr);
    let nobody = ["abandon"; 23].join(" ") + " art";
    let run = Client::new("x").run_with(&["recover", link], nobody.as_bytes()).expect_code(1);
    assert!(run.stderr.contains("no account with these words"), "{}", run.stderr);
    relay.finish();
}

//! A relay restored from an older copy of its data folder, or set up anew.

use super::common::*;
use aside_tests::{Client, Relay, search};
use tempfile::TempDir;

/// A copy of the relay's folder, taken while it is stopped; the relay runs again afterwards.
pub fn backup(relay: &mut Relay) -> TempDir {
    relay.stop();
    let copy = tempfile::tempdir().unwrap();
    search::copy_folder(relay.data().parent().unwrap(), copy.path());
    relay.restart();
    copy
}

/// Puts a copy in place of the relay's folder, with the record of the commands that led to it, and starts on it.
pub fn put_back(relay: &mut Relay, copy: &TempDir) {
    put_back_with(relay, copy, &[]);
}

fn put_back_with(relay: &mut Relay, copy: &TempDir, args: &[&str]) {
    relay.stop();
    let folder = relay.data().parent().unwrap().to_owned();
    search::files(&folder).iter().for_each(|path| std::fs::remove_file(path).unwrap());
    search::copy_folder(copy.path(), &folder);
    relay.restart_with(args);
}

#[track_caller]
fn says_so(person: &Client, peer: &str) {
    let said = notices(&history(person, peer));
    assert!(said.iter().any(|text| text.contains("relay was restored")), "{} is told: {said:?}", person.name());
}

#[test]
fn restored_from_a_copy_with_the_chat() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let copy = backup(&mut relay);
    for round in 0..2 {
        say(&alice, &bob, &format!("there {round}"));
        hear(&bob, &[&format!("there {round}")]);
        say(&bob, &alice, &format!("back {round}"));
        hear(&alice, &[&format!("back {round}")]);
    }
    put_back(&mut relay, &copy);
    let (at_alice, at_bob) = talk_again(&alice, &bob, "restored");
    assert_eq!((at_alice, at_bob), (vec!["restored: bob to alice".into()], vec!["restored: alice to bob".into()]));
    for (person, peer) in [(&alice, "bob"), (&bob, "alice")] {
        says_so(person, peer);
        let shown = history(person, peer);
        assert_eq!((told(&shown, false).len(), told(&shown, true).len()), (4, 4), "{shown:#?}");
        let expected = ["hello from alice", "hello from bob", "there 0", "back 0", "there 1", "back 1"];
        assert_eq!(&texts_of(&shown)[..6], expected, "the order of before stands");
    }
    talk_again(&bob, &alice, "and again");
    finish(relay);
}

#[test]
fn restored_from_a_copy_without_the_chat() {
    let (mut relay, alice, bob) = two();
    let copy = backup(&mut relay);
    acquaint(&alice, &bob);
    say(&alice, &bob, "nobody has this but alice");
    put_back(&mut relay, &copy);
    let (at_alice, at_bob) = talk_again(&alice, &bob, "restored");
    once_each(&at_bob, &["restored: alice to bob"]);
    once_each(&at_alice, &["restored: bob to alice"]);
    for (person, peer) in [(&alice, "bob"), (&bob, "alice")] {
        says_so(person, peer);
        told(&history(person, peer), true);
        told(&history(person, peer), false);
    }
    finish(relay);
}

/// What is still in an outbox when the relay loses its memory goes out all the same, once.
#[test]
fn restored_while_messages_were_pending() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let copy = backup(&mut relay);
    say(&alice, &bob, "lost by the relay, had by bob");
    hear(&bob, &["lost by the relay, had by bob"]);
    relay.kill();
    alice.send("bob", "pending", &["--timeout", "100ms"]).expect_code(6);
    relay.restart();
    put_back(&mut relay, &copy);
    let (_, at_bob) = talk_again(&alice, &bob, "restored");
    assert_eq!(at_bob, ["pending", "restored: alice to bob"]);
    finish(relay);
}

/// Only one of two notices that the relay is older: the other had not been there since.
#[test]
fn restored_while_one_side_was_away() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let copy = backup(&mut relay);
    for n in 0..5 {
        say(&alice, &bob, &format!("never arrived {n}"));
    }
    put_back(&mut relay, &copy);
    let (at_alice, at_bob) = talk_again(&alice, &bob, "restored");
    once_each(&at_bob, &["restored: alice to bob"]);
    once_each(&at_alice, &["restored: bob to alice"]);
    says_so(&alice, "bob");
    told(&history(&bob, "alice"), false);
    finish(relay);
}

/// The relay has gone on before somebody comes back who knew its lost part: positions alone do not show it then, the
/// new log id that `--restored` gives does.
#[test]
fn restored_and_overtaken() {
    let (mut relay, alice, bob) = two();
    let copy = backup(&mut relay);
    acquaint(&alice, &bob);
    put_back_with(&mut relay, &copy, &["--restored"]);
    let lines: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
    alice.run_with(&["talk", "bob"], lines.join("\n").as_bytes()).ok();
    let at_bob = deliver(&alice, &bob, "the last one");
    let mut shown = told(&history(&bob, "alice"), false);
    shown.retain(|text| text.starts_with("line"));
    assert_eq!(shown, lines, "printed: {at_bob:?}");
    talk_again(&bob, &alice, "and again");
    finish(relay);
}

/// Same identity, empty database: everybody is told in one sentence, and keeps their history.
#[test]
fn set_up_anew_it_knows_nobody() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    relay.stop();
    for path in search::files(relay.data().parent().unwrap()) {
        if !path.ends_with("identity.key") {
            std::fs::remove_file(path).unwrap();
        }
    }
    relay.restart();
    let send = alice.send("bob", "hello?", &["--timeout", "5s"]).expect_code(3);
    assert!(send.stderr.contains("LOG-3"), "{send:#?}");
    let recv = alice.recv(&["--timeout", "5s"]).expect_code(3);
    assert!(recv.stderr.lines().count() == 1, "{recv:#?}");
    assert_eq!(told(&history(&alice, "bob"), false), ["hello from bob"]);
    // A new profile begins anew, and the old one's history stays.
    let mut again = Client::new("alice");
    again.set_env("ASIDE_WELCOME_PATIENCE_SECONDS", "1");
    again.register(relay.first_invite()).ok();
    finish(relay);
}

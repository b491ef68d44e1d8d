//! A client database restored from an older copy: rejoin, re-founding, what the copy lacked.

use super::common::*;
use aside_tests::Client;
use serde_json::Value;

/// How many messages stand in gaps.
fn gaps(history: &[Value]) -> u64 {
    let gaps = history.iter().filter(|line| line["type"] == "gap");
    gaps.map(|gap| gap["last"].as_u64().unwrap() - gap["first"].as_u64().unwrap() + 1).sum()
}

/// Everybody has everything of the other: as text, or, of what this device forgot to have written itself, as a gap.
#[track_caller]
fn complete(person: &Client, peer: &Client, theirs: &[&str]) {
    let shown = history(person, peer.name());
    in_order(&shown);
    once_each(&told(&shown, false), theirs);
    told(&shown, true);
}

#[track_caller]
fn says_restored(person: &Client, peer: &Client) {
    let said = notices(&history(person, peer.name()));
    assert!(said.iter().any(|text| text.contains("older copy")), "the person is told: {said:?}");
}

#[test]
fn after_both_had_written_more() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let copy = alice.snapshot();
    for round in 0..3 {
        let (there, back) = (format!("lost at alice {round}"), format!("had by alice {round}"));
        say(&alice, &bob, &there);
        hear(&bob, &[&there]);
        say(&bob, &alice, &back);
        hear(&alice, &[&back]);
    }
    alice.restore(&copy);
    let (at_alice, at_bob) = talk_again(&alice, &bob, "restored");
    once_each(&at_bob, &["restored: alice to bob"]);
    assert!(!at_bob.iter().any(|text| text.starts_with("lost")), "nothing is printed twice: {at_bob:?}");
    once_each(&at_alice, &["restored: bob to alice"]);
    complete(&bob, &alice, &["hello from alice", "lost at alice 0", "lost at alice 1", "lost at alice 2"]);
    complete(&alice, &bob, &["hello from bob", "had by alice 0", "had by alice 1", "had by alice 2"]);
    assert!(gaps(&history(&alice, "bob")) >= 3, "her own forgotten messages show as gaps");
    says_restored(&alice, &bob);
    talk_again(&bob, &alice, "and again");
    finish(relay);
}

/// The copy lacks what only its owner wrote and nobody has read yet: it reaches the other side all the same.
#[test]
fn with_the_other_side_away() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let copy = alice.snapshot();
    say(&alice, &bob, "forgotten here");
    say(&bob, &alice, "unread when restored");
    alice.restore(&copy);
    // Alice comes back while nobody is there to add her again, twice.
    alice.recv(&["--timeout", "1s"]).ok();
    fails_with(alice.send("bob", "waits in the outbox", &["--timeout", "1s"]), 6, "outbox");
    let (_, at_bob) = talk_again(&alice, &bob, "restored");
    once_each(&at_bob, &["waits in the outbox", "restored: alice to bob"]);
    complete(&bob, &alice, &["hello from alice", "forgotten here", "waits in the outbox", "restored: alice to bob"]);
    complete(&alice, &bob, &["hello from bob", "unread when restored", "restored: bob to alice"]);
    finish(relay);
}

#[test]
fn with_messages_pending_in_the_copy() {
    let (mut relay, alice, bob) = two();
    acquaint(&alice, &bob);
    relay.kill();
    for text in ["pending one", "pending two"] {
        alice.send("bob", text, &["--timeout", "100ms"]).expect_code(6);
    }
    let copy = alice.snapshot();
    relay.restart();
    say(&alice, &bob, "after the copy");
    hear(&bob, &["pending one", "pending two", "after the copy"]);
    alice.restore(&copy);
    let (_, at_bob) = talk_again(&alice, &bob, "restored");
    // What the copy still had to send was sent long ago; it is not shown twice.
    assert_eq!(at_bob, ["restored: alice to bob"]);
    complete(
        &bob,
        &alice,
        &["hello from alice", "pending one", "pending two", "after the copy", "restored: alice to bob"],
    );
    let own = told(&history(&alice, "bob"), true);
    once_each(&own, &["pending one", "pending two"]);
    let pending = history(&alice, "bob").iter().filter(|line| line["status"] == "pending").count();
    assert_eq!(pending, 0, "all of them went out");
    finish(relay);
}

#[test]
fn both_sides_restored() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let (old_alice, old_bob) = (alice.snapshot(), bob.snapshot());
    for round in 0..2 {
        say(&alice, &bob, &format!("forgotten {round}"));
        hear(&bob, &[&format!("forgotten {round}")]);
        say(&bob, &alice, &format!("forgotten too {round}"));
        hear(&alice, &[&format!("forgotten too {round}")]);
    }
    alice.restore(&old_alice);
    bob.restore(&old_bob);
    let (at_alice, at_bob) = talk_again(&alice, &bob, "restored");
    once_each(&at_bob, &["restored: alice to bob"]);
    once_each(&at_alice, &["restored: bob to alice"]);
    for (person, peer) in [(&alice, &bob), (&bob, &alice)] {
        says_restored(person, peer);
        let shown = history(person, peer.name());
        in_order(&shown);
        let texts = told(&shown, false).len() as u64;
        assert!(texts + gaps(&shown) >= 4, "what the copy lacked is there or shows as a gap: {shown:#?}");
    }
    talk_again(&bob, &alice, "and again");
    finish(relay);
}

/// Restored twice from the same copy: each time it is noticed, each time it heals.
#[test]
fn the_same_copy_twice() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let copy = alice.snapshot();
    for round in ["first", "second"] {
        say(&alice, &bob, &format!("{round} forgotten"));
        hear(&bob, &[&format!("{round} forgotten")]);
        alice.restore(&copy);
        talk_again(&alice, &bob, round);
    }
    let theirs =
        ["hello from alice", "first forgotten", "first: alice to bob", "second forgotten", "second: alice to bob"];
    complete(&bob, &alice, &theirs);
    complete(&alice, &bob, &["hello from bob", "first: bob to alice", "second: bob to alice"]);
    finish(relay);
}

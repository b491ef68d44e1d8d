//! A poison envelope in one chat while others flow; escape sequences in a text.

use super::attacker::{Attacker, garbage};
use super::common::*;
use aside_protocol::request::Answer;
use aside_protocol::{Body, N, Seq};
use serde_json::Value;

/// Everything a chat can carry, as bytes that mean nothing.
async fn poison(mallory: &mut Attacker, name: &str) {
    let victim = mallory.look_up(name).await;
    let chat = mallory.chat_with(&victim);
    let founded = mallory.found(&victim, 1, garbage(700), garbage(3000)).await;
    assert!(matches!(founded, Answer::Sent(_)), "{founded:?}");
    for size in [1, 16, 300, 5_000, 60_000] {
        mallory.message(chat, garbage(size)).await;
    }
    mallory.message(chat, Body::from(vec![0xff; 400])).await;
    // Arrays in arrays in arrays.
    mallory.message(chat, Body::from(vec![0x81; 40_000])).await;
    let base = mallory.routing(chat).await.base;
    for body in [garbage(1), garbage(200), Body::from(vec![0x9f; 3000]), mallory.signed_nonsense(chat)] {
        mallory.receipt(chat, base, body.clone()).await;
        mallory.receipt(chat, Seq(u64::MAX >> 1), body.clone()).await;
        mallory.rejoin(chat, body).await;
    }
    let refused = mallory.commit(chat, N(2), garbage(500)).await;
    assert!(matches!(refused, Answer::Refused(_)), "the number was used: {refused:?}");
    let n = N(mallory.message(chat, garbage(20)).await.n.0 + 1);
    let committed = mallory.commit(chat, n, garbage(500)).await;
    assert!(matches!(committed, Answer::Sent(_)), "{committed:?}");
    let again = mallory.found(&victim, 2, garbage(700), Body::from(Vec::new())).await;
    assert!(!matches!(again, Answer::Done(_)), "{again:?}");
    mallory.message(chat, garbage(20)).await;
}

#[tokio::test]
async fn a_poisoned_chat_stops_no_other() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut mallory = Attacker::register(relay.first_invite(), "mallory").await;
    mallory.upload(garbage(900)).await;
    let mut follower = bob.follow();
    say(&alice, &bob, "before");
    printed(&follower, "before");
    poison(&mut mallory, "bob").await;
    say(&alice, &bob, "during");
    printed(&follower, "during");
    poison(&mut mallory, "alice").await;
    say(&alice, &bob, "after");
    printed(&follower, "after");
    assert_eq!(follower.terminate(SOON), Some(0));
    let texts = texts_of(&follower.json());
    assert_eq!(texts, ["before", "during", "after"]);
    assert!(!follower.log().contains("panicked"), "{}", follower.log());
    say(&bob, &alice, "and back");
    hear(&alice, &["and back"]);
    for (person, expected) in [(&alice, 9), (&bob, 9)] {
        let shown = history(person, "mallory");
        let gaps: u64 = shown.iter().filter(|line| line["type"] == "gap").map(width).sum();
        assert!(gaps >= expected, "{gaps} unreadable messages show: {shown:#?}");
        assert!(shown.iter().all(|line| line["type"] != "message"), "{shown:#?}");
    }
    assert_eq!(told(&history(&bob, "alice"), false), ["hello from alice", "before", "during", "after"]);
    // Somebody who writes to such a peer is told to be patient, not left hanging and not crashed.
    let send = bob.send("mallory", "who are you?", &["--timeout", "2s"]);
    fails_with(send, 6, "stays in the outbox");
    deliver(&bob, &alice, "still here");
    mallory.close().await;
    finish(relay);
}

fn width(gap: &Value) -> u64 {
    gap["last"].as_u64().unwrap() - gap["first"].as_u64().unwrap() + 1
}

/// A device of a member turns: what it sends in a chat that works cannot be read, and its own client, back again, must
/// see that something was sent in its name.
#[tokio::test]
async fn poison_from_a_members_device_is_a_gap() {
    let (relay, alice, bob) = two();
    let carol = impatient("carol", relay.first_invite());
    acquaint(&alice, &bob);
    acquaint(&carol, &bob);
    let mut follower = bob.follow();
    let mut turned = Attacker::as_device_of(&alice).await;
    let victim = turned.look_up("bob").await;
    let chat = turned.chat_with(&victim);
    for size in [1, 300, 60_000] {
        turned.message(chat, garbage(size)).await;
        say(&carol, &bob, &format!("carol after {size}"));
        printed(&follower, &format!("carol after {size}"));
    }
    turned.close().await;
    assert_eq!(follower.terminate(SOON), Some(0));
    let shown = history(&bob, "alice");
    let gaps: u64 = shown.iter().filter(|line| line["type"] == "gap").map(width).sum();
    assert_eq!(gaps, 3, "{shown:#?}");
    let (at_alice, at_bob) = talk_again(&alice, &bob, "after the poison");
    assert_eq!((at_alice.len(), at_bob.len()), (1, 1), "{at_alice:?} {at_bob:?}");
    let own = history(&alice, "bob");
    assert!(!notices(&own).is_empty(), "alice is told: {own:#?}");
    assert_eq!(told(&own, true), ["hello from alice", "after the poison: alice to bob"]);
    finish(relay);
}

/// The same with a commit: the other side cannot follow it and must not be stuck.
#[tokio::test]
async fn a_poison_commit_from_a_members_device_does_not_brick_the_chat() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut turned = Attacker::as_device_of(&alice).await;
    let victim = turned.look_up("bob").await;
    let chat = turned.chat_with(&victim);
    let n = N(turned.message(chat, garbage(40)).await.n.0 + 1);
    let committed = turned.commit(chat, n, garbage(600)).await;
    assert!(matches!(committed, Answer::Sent(_)), "{committed:?}");
    turned.close().await;
    let (at_alice, at_bob) = talk_again(&alice, &bob, "after the commit");
    assert_eq!((at_alice.len(), at_bob.len()), (1, 1), "{at_alice:?} {at_bob:?}");
    for (person, peer) in [(&alice, "bob"), (&bob, "alice")] {
        let shown = history(person, peer);
        in_order(&shown);
        assert_eq!((told(&shown, true).len(), told(&shown, false).len()), (2, 2), "{shown:#?}");
    }
    finish(relay);
}

#[test]
fn a_text_cannot_steer_the_terminal() {
    let (relay, alice, bob) = two();
    let hostile =
        "\u{1b}]0;owned\u{7}\u{1b}[2Jwipe\u{9b}31m\rover\u{8}\u{202e}txt\u{2028}mallory: hi\nbob: forged\u{7f}";
    say(&alice, &bob, hostile);
    let peeked = bob.run(&["recv", "--peek"]).ok();
    let (shown, chats) = (bob.run(&["history", "alice"]).ok(), bob.run(&["chats"]).ok());
    let (own, sent) = (alice.run(&["history", "bob"]).ok(), alice.run(&["chats"]).ok());
    for run in [&peeked, &shown, &chats, &own, &sent] {
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("wipe"), "{said:?}");
        assert!(said.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{said:?}");
        assert!(!said.contains(['\u{202e}', '\u{2028}']), "{said:?}");
        let forged = said.lines().any(|line| line.starts_with("bob: forged") || line.starts_with("mallory:"));
        assert!(!forged, "a line that looks like another message: {said:?}");
    }
    // Scripts get the text as it is, in one line.
    hear(&bob, &[hostile]);
    finish(relay);
}

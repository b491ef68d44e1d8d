//! A group is made, and everybody in it talks.

use super::common::*;

#[test]
fn three_people_talk_and_everybody_sees_who_wrote() {
    let (relay, alice, bob, carol) = lunch();
    alice.send("#lunch", "where shall we go?", &["--timeout", "60s"]).ok();
    heard(&bob, "#lunch", "where shall we go?");
    bob.send("#lunch", "to the harbour", &["--timeout", "60s"]).ok();
    heard(&carol, "#lunch", "to the harbour");
    let sent = carol.send("#lunch", "at noon", &["--timeout", "60s"]).ok().one();
    assert_eq!(sent["to"], "#lunch");
    let wanted = ["alice: where shall we go?", "bob: to the harbour", "carol: at noon"];
    for client in [&alice, &bob, &carol] {
        assert_eq!(heard(client, "#lunch", "at noon"), wanted, "{}", client.name());
    }
    relay.finish();
}

#[test]
fn recv_says_who_wrote_where() {
    let (relay, alice, bob, _carol) = lunch();
    alice.send("#lunch", "for the script", &["--timeout", "60s"]).ok();
    let message = bob.recv(&["--limit", "1", "--timeout", "60s", "--peek"]).ok().one();
    assert_eq!(message["from"], "alice");
    assert_eq!((&message["chat"], &message["kind"]), (&"#lunch".into(), &"group".into()));
    assert_eq!(message["title"], "lunch");
    let id = message["chat_id"].as_str().unwrap();
    let run = bob.run(&["recv", "--timeout", "30s"]).ok();
    assert_eq!(run.stdout, "alice in #lunch: for the script\n");
    assert_eq!(said(&bob, &id[..8]), ["alice: for the script"], "an id names it too");
    let run = bob.run(&["history", "#lunch"]).ok();
    assert!(run.stdout.ends_with("alice: for the script\n"), "{run:?}");
    let chats = bob.chats().ok().json();
    assert_eq!(chats.len(), 1, "those who are in a group with somebody have no chat with them: {chats:?}");
    assert_eq!((&chats[0]["name"], &chats[0]["kind"]), (&"#lunch".into(), &"group".into()));
    assert_eq!(chats[0]["last_by"], "alice");
    relay.finish();
}

#[test]
fn talk_is_for_groups_too() {
    let (relay, alice, bob, carol) = lunch();
    let mut talk = alice.talk("#lunch");
    talk.say(["a line"]);
    assert_eq!(heard(&bob, "#lunch", "a line"), ["alice: a line"]);
    carol.send("#lunch", "and an answer", &["--timeout", "60s"]).ok();
    assert_eq!(talk.wait_lines(1, LONG), ["carol: and an answer"]);
    talk.hush();
    assert_eq!(talk.wait(LONG), Some(0));
    relay.finish();
}

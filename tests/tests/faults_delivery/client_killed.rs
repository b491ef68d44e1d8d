//! A client dies without warning: while it sends, while it receives, while a script waits for it.

use super::common::*;
use aside_tests::{RelayOptions, rounds};
use std::time::Duration;

/// Texts to send in each life of the sender.
const BATCH: usize = 30;
/// What `recv` prints before it marks it as printed, at most: one page of the store.
const UNMARKED: usize = 100;

/// What a killed `talk` had stored is a beginning of what it was told, and that goes out with the next process.
#[test]
fn a_sender_killed_again_and_again_sends_each_message_once() {
    let pair = Pair::start(RelayOptions::default());
    let follower = pair.bob.follow();
    let lives = rounds(10, 50);
    let said = texts("line", 0..lives * BATCH);
    let mut stored = 0;
    for life in 0..lives {
        let mut talk = pair.alice.talk("bob");
        talk.say(&said[stored..(life + 1) * BATCH]);
        wait_printed(&follower, stored + 1 + life * 3 % 20);
        talk.kill();
        let entries = pair.alice.whole_history("bob");
        let kept: Vec<String> = entries.iter().map(|entry| entry["text"].as_str().unwrap_or("?").to_owned()).collect();
        assert_texts("what the killed sender has stored", &kept, &said[..kept.len().min(said.len())]);
        assert!(kept.len() >= stored, "the sender forgot messages");
        stored = kept.len();
    }
    let mut talk = pair.alice.talk("bob");
    talk.say(&said[stored..]);
    wait_printed(&follower, said.len());
    leave(talk);
    assert_texts("what bob printed", &interrupt(follower), &said);
    pair.prove(&said, &[]);
}

/// `send --id`, killed at any moment and then repeated until it ends well, sends one message.
#[test]
fn a_killed_send_with_an_id_can_be_repeated() {
    let pair = Pair::start(RelayOptions::default());
    let tries = rounds(12, 100);
    let said = texts("once", 0..tries);
    for (number, text) in said.iter().enumerate() {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let mut first = pair.alice.spawn(&["send", "bob", text, "--id", &id, "--json"]);
        // Not a wait for anything: the moment of its death, from before it opens its profile to after it is done.
        std::thread::sleep(Duration::from_millis((number * 37 % 120) as u64));
        first.kill();
        let again = pair.alice.send("bob", text, &["--id", &id]).ok().one();
        assert_eq!((&again["id"], &again["status"]), (&id.as_str().into(), &"sent".into()));
    }
    let got = pair.bob.recv(&["--limit", &tries.to_string(), "--timeout", "20s"]).ok();
    let got: Vec<String> = got.json().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect();
    assert_texts("what bob printed", &got, &said);
    pair.prove(&said, &[]);
}

/// A message printed right before the kill may be printed again, since it was not marked yet: at most one page of
/// them, at the beginning of the next life. Within a life, and in the history, everything is there once, in order.
#[test]
fn a_receiver_killed_again_and_again_stores_each_message_once() {
    let pair = Pair::start(RelayOptions::default());
    let mut talk = pair.alice.talk("bob");
    let lives = rounds(12, 60);
    let said = texts("line", 0..lives * BATCH);
    let mut seen = 0;
    for life in 0..lives {
        talk.say(&said[life * BATCH..(life + 1) * BATCH]);
        let mut recv = pair.bob.follow();
        if life % 3 == 2 {
            // Not a wait for anything: a death while it opens its profile, connects or catches up.
            std::thread::sleep(Duration::from_millis((life * 17 % 110) as u64));
        } else {
            // All before this batch is in the log already, so the life begins in a catch-up.
            wait_printed(&recv, 1 + life * 11 % BATCH);
        }
        recv.kill();
        seen = follows(&printed(&recv), &said, seen);
    }
    let last = pair.bob.follow();
    let end = said.last().unwrap();
    if seen < said.len() {
        aside_tests::wait_for("the last text", LONG, || printed(&last).last() == Some(end));
    }
    leave(talk);
    seen = follows(&interrupt(last), &said, seen);
    assert_eq!(seen, said.len(), "some texts were never printed");
    pair.prove(&said, &[]);
}

/// What one life printed goes on where the lives before ended, or repeats a little of their end; returns how many
/// texts have been printed in all.
#[track_caller]
fn follows(printed: &[String], said: &[String], seen: usize) -> usize {
    let Some(first) = printed.first() else { return seen };
    let from = said.iter().position(|text| text == first).unwrap_or_else(|| panic!("{first:?} was never said"));
    assert!(from <= seen, "{:?} were never printed", &said[seen..from]);
    assert!(seen - from <= UNMARKED, "{} texts were printed again", seen - from);
    assert_texts("one life of recv", printed, &said[from..(from + printed.len()).min(said.len())]);
    seen.max(from + printed.len())
}

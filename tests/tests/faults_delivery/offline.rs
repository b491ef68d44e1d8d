//! A recipient who is away while a thousand messages are written.

use super::common::*;
use aside_tests::{RelayOptions, wait_for};

const MANY: usize = 1_000;

#[test]
fn a_thousand_messages_wait_for_who_is_away() {
    let pair = Pair::start(RelayOptions::default());
    let said = texts("line", 0..MANY);
    let mut talk = pair.alice.talk("bob");
    talk.say(&said);
    leave(talk);
    // Ends when the last one is stored at the relay, and with it all before it.
    let last = "the last one".to_owned();
    pair.alice.send("bob", &last, &["--wait", "sent", "--timeout", "60s"]).ok();
    let said: Vec<String> = said.into_iter().chain([last]).collect();
    let got = pair.bob.recv(&["--limit", &said.len().to_string(), "--timeout", "30s"]).ok();
    let got: Vec<String> = got.json().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect();
    assert_texts("what bob printed", &got, &said);
    // The receipts reach alice when she is back.
    wait_for("alice to be told that bob read everything", LONG, || {
        pair.alice.recv(&["--timeout", "1s"]).ok();
        pair.alice.whole_history("bob").iter().all(|message| message["status"] == "read")
    });
    pair.prove(&said, &[]);
}

//! Who has received and read a message.

use super::common::*;
use aside_tests::{Client, wait_for};
use serde_json::Value;

fn readers(client: &Client, id: &str) -> Vec<String> {
    let info = client.run(&["info", id, "--json"]).ok().one();
    let word = |reader: &Value| match (reader["delivered"] == true, reader["read"] == true) {
        (_, true) => "read",
        (true, false) => "delivered",
        _ => "nothing",
    };
    let entry = |reader: &Value| format!("{} {}", reader["name"].as_str().unwrap(), word(reader));
    info["readers"].as_array().unwrap().iter().map(entry).collect()
}

#[test]
fn each_reader_is_shown() {
    let (relay, alice, bob, carol) = lunch();
    let id = alice.send("#lunch", "who reads this?", &["--timeout", "60s"]).ok().one();
    let id = id["id"].as_str().unwrap();
    assert_eq!(readers(&alice, id), ["bob nothing", "carol nothing"]);
    wait_for("bob has read it", LONG, || {
        bob.recv(&["--timeout", "500ms"]);
        alice.recv(&["--timeout", "500ms"]);
        readers(&alice, id) == ["bob read", "carol nothing"]
    });
    wait_for("carol has received it", LONG, || {
        carol.recv(&["--timeout", "500ms", "--peek"]);
        alice.recv(&["--timeout", "500ms"]);
        readers(&alice, id) == ["bob read", "carol delivered"]
    });
    let waited = alice.send("#lunch", "nobody is there", &["--wait", "delivered", "--timeout", "1s"]).expect_code(6);
    assert!(waited.stderr.contains("not delivered yet"), "{waited:?}");
    alice.run(&["info", "00000000-0000-0000-0000-000000000000"]).expect_code(1);
    relay.finish();
}

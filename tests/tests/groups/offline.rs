//! What is asked without a relay, or of people who are not there, is kept and done later.

use super::common::*;

#[test]
fn a_group_made_offline_is_founded_with_the_next_connection() {
    let (mut relay, alice, bob, _carol) = three();
    // So that the name is known.
    alice.send("bob", "hello", &["--timeout", "60s"]).ok();
    relay.stop();
    let late = alice.run(&["group", "create", "later", "bob", "--timeout", "1s"]).expect_code(6);
    assert!(late.stderr.contains("it is kept"), "{late:?}");
    let group = info(&alice, "#later").unwrap();
    assert_eq!(group["state"], "being made");
    assert!(group["due"].as_array().unwrap().iter().any(|due| due["what"] == "add" && due["name"] == "bob"));
    alice.run(&["send", "#later", "written before", "--timeout", "1s"]).expect_code(6);
    relay.restart();
    until(&alice, "#later", |group| group["state"] == "in" && group["due"].as_array().unwrap().is_empty());
    assert_eq!(heard(&bob, "#later", "written before"), ["alice: written before"]);
    relay.finish();
}

#[test]
fn no_wait_returns_at_once() {
    let (relay, alice, bob, _carol) = lunch();
    alice.run(&["group", "rename", "#lunch", "tea", "--no-wait"]).ok();
    until(&alice, "#tea", |group| group["due"].as_array().unwrap().is_empty());
    until(&bob, "#tea", |group| group["title"] == "tea");
    relay.finish();
}

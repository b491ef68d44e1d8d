//! Safety numbers: the same on both sides, remembered, and wrong ones refused. And what is done about new keys.

use super::common::*;

#[test]
fn two_people_compare_their_number() {
    let (relay, alice, bob) = acquainted();
    let shown = alice.run(&["verify", "bob", "--json"]).ok().one();
    let number = shown["number"].as_str().unwrap();
    assert_eq!((number.split(' ').count(), &shown["verified"]), (12, &serde_json::Value::Null));
    let verified = bob.run(&["verify", "alice", "--code", number, "--json"]).ok().one();
    assert!(verified["verified"].as_u64().unwrap() > 0);
    let listed = |who: &aside_tests::Client| who.run(&["contacts", "--json"]).ok().one()["verified"].as_u64();
    assert!(listed(&bob).is_some() && listed(&alice).is_none());
    let mut wrong = number.replace(' ', "");
    let last = if wrong.ends_with('0') { "1" } else { "0" };
    wrong.replace_range(59.., last);
    bob.run(&["verify", "alice", "--code", &wrong]).expect_code(4);
    assert!(listed(&bob).is_none());
    bob.run(&["verify", "alice", "--code", "123"]).expect_code(2);
    bob.run(&["verify", "nobody-here"]).expect_code(1);
    relay.finish();
}

#[test]
fn a_policy_is_remembered() {
    let (relay, alice, _) = acquainted();
    let policy = |args: &[&str]| {
        let all: Vec<&str> = ["trust", "policy", "--json"].into_iter().chain(args.iter().copied()).collect();
        alice.run(&all).ok().one()["on_key_change"].as_str().unwrap().to_owned()
    };
    assert_eq!(policy(&[]), "fail");
    assert_eq!(policy(&["--on-key-change", "hold"]), "hold");
    assert_eq!(policy(&[]), "hold");
    relay.finish();
}

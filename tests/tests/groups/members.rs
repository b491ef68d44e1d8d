//! People are added, removed, and leave.

use super::common::*;
use serde_json::Value;

#[test]
fn who_is_removed_reads_nothing_new() {
    let (relay, alice, bob, carol) = lunch();
    alice.send("#lunch", "all of us", &["--timeout", "60s"]).ok();
    heard(&carol, "#lunch", "all of us");
    let group = alice.run(&["group", "remove", "#lunch", "carol", "--json", "--timeout", "60s"]).ok().one();
    assert_eq!(members(&group), ["alice owner", "bob member"]);
    alice.send("#lunch", "the two of us", &["--timeout", "60s"]).ok();
    assert_eq!(heard(&bob, "#lunch", "the two of us"), ["alice: all of us", "alice: the two of us"]);
    let group = until(&carol, "#lunch", |group| group["state"] == "left");
    assert!(group["role"].is_null());
    assert_eq!(said(&carol, "#lunch"), ["alice: all of us"], "and no more");
    let refused = carol.send("#lunch", "let me in", &[]).expect_code(1);
    assert!(refused.stderr.contains("not in this group"), "{refused:?}");
    assert!(!notices(&carol, "#lunch").is_empty(), "she is told");
    relay.finish();
}

#[test]
fn who_is_added_reads_only_what_follows() {
    let (relay, alice, bob, _carol) = lunch();
    let dave = person(&relay, "dave");
    alice.send("#lunch", "before", &["--timeout", "60s"]).ok();
    alice.run(&["group", "add", "#lunch", "dave", "--timeout", "60s"]).ok();
    alice.send("#lunch", "after", &["--timeout", "60s"]).ok();
    assert_eq!(heard(&dave, "#lunch", "after"), ["alice: after"]);
    assert_eq!(heard(&bob, "#lunch", "after"), ["alice: before", "alice: after"]);
    let again = alice.run(&["group", "add", "#lunch", "dave"]).expect_code(1);
    assert!(again.stderr.contains("in the group already"), "{again:?}");
    relay.finish();
}

#[test]
fn who_is_about_to_leave_may_stay_after_all() {
    let (relay, _alice, bob, _carol) = lunch();
    // Nobody is there to make the change.
    bob.run(&["group", "leave", "#lunch", "--no-wait"]).ok();
    let due = |group: &Value| group["due"].as_array().map(Vec::len);
    assert_eq!(due(&info(&bob, "#lunch").unwrap()), Some(1));
    let stays = bob.run(&["group", "leave", "#lunch", "--cancel", "--json"]).ok().one();
    assert_eq!((due(&stays), &stays["state"]), (Some(0), &"in".into()), "{stays}");
    bob.run(&["group", "leave", "#lunch", "--cancel"]).expect_code(1);
    relay.finish();
}

#[test]
fn who_leaves_is_gone_for_everybody() {
    let (relay, alice, bob, carol) = lunch();
    // The others make the change, so one of them must be there.
    let follower = alice.follow();
    let left = bob.run(&["group", "leave", "#lunch", "--json", "--timeout", "60s"]).ok().one();
    assert_eq!(left["state"], "left");
    bob.send("#lunch", "still here?", &[]).expect_code(1);
    drop(follower);
    for client in [&alice, &carol] {
        until(client, "#lunch", |group| members(group) == ["alice owner", "carol member"]);
    }
    relay.finish();
}

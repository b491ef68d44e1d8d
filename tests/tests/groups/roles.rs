//! Who may do what.

use super::common::*;
use aside_tests::Client;

#[track_caller]
fn refused(client: &Client, args: &[&str], why: &str) {
    let run = client.run(args).expect_code(1);
    assert!(run.stderr.contains(why), "{run:?}");
}

#[test]
fn members_change_nothing_and_admins_not_everything() {
    let (relay, alice, bob, carol) = lunch();
    let dave = person(&relay, "dave");
    for args in [&["group", "add", "#lunch", "dave"][..], &["group", "remove", "#lunch", "carol"]] {
        refused(&bob, args, "only owners and admins");
    }
    refused(&bob, &["group", "rename", "#lunch", "dinner"], "only owners and admins");
    refused(&bob, &["group", "role", "#lunch", "bob", "owner"], "only owners");
    refused(&alice, &["group", "leave", "#lunch"], "the only owner");
    refused(&alice, &["group", "role", "#lunch", "alice", "member"], "the only owner");

    let group = alice.run(&["group", "role", "#lunch", "bob", "admin", "--json", "--timeout", "60s"]).ok().one();
    assert_eq!(members(&group), ["alice owner", "bob admin", "carol member"]);
    until(&bob, "#lunch", |group| group["role"] == "admin");
    bob.run(&["group", "add", "#lunch", "dave", "--timeout", "60s"]).ok();
    bob.run(&["group", "remove", "#lunch", "carol", "--timeout", "60s"]).ok();
    refused(&bob, &["group", "remove", "#lunch", "alice"], "only owners");
    refused(&bob, &["group", "role", "#lunch", "dave", "admin"], "only owners");

    until(&dave, "#lunch", |group| members(group) == ["alice owner", "bob admin", "dave member"]);
    until(&alice, "#lunch", |group| members(group) == ["alice owner", "bob admin", "dave member"]);
    until(&carol, "#lunch", |group| group["state"] == "left");
    relay.finish();
}

#[test]
fn an_owner_may_leave_once_there_is_another() {
    let (relay, alice, bob, carol) = lunch();
    alice.run(&["group", "role", "#lunch", "bob", "owner", "--timeout", "60s"]).ok();
    until(&bob, "#lunch", |group| group["role"] == "owner");
    let follower = bob.follow();
    alice.run(&["group", "leave", "#lunch", "--timeout", "60s"]).ok();
    drop(follower);
    until(&carol, "#lunch", |group| members(group) == ["bob owner", "carol member"]);
    relay.finish();
}

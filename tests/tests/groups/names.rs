//! What groups are called, and who is in them.

use super::common::*;

#[test]
fn a_new_name_is_everybodys() {
    let (relay, alice, bob, carol) = lunch();
    let group = alice.run(&["group", "rename", "#lunch", "a late lunch", "--json", "--timeout", "60s"]).ok().one();
    assert_eq!(group["title"], "a late lunch");
    for client in [&bob, &carol] {
        until(client, "#a late lunch", |group| group["title"] == "a late lunch");
        let gone = client.history("#lunch", &[]).expect_code(1);
        assert!(gone.stderr.contains("no group or channel #lunch"), "{gone:?}");
    }
    relay.finish();
}

#[test]
fn of_two_groups_with_one_name_the_ids_are_told() {
    let (relay, alice, _bob, _carol) = lunch();
    let other = alice.run(&["group", "create", "lunch", "bob", "--json", "--timeout", "60s"]).ok().one();
    let unclear = alice.send("#lunch", "which?", &[]).expect_code(2);
    let id = other["chat"].as_str().unwrap();
    assert!(unclear.stderr.contains(&id[..12]), "{unclear:?}");
    alice.send(id, "this one", &["--timeout", "60s"]).ok();
    assert_eq!(said(&alice, &id[..12]), ["alice: this one"]);
    let listed = alice.run(&["group", "list", "--json"]).ok().json();
    assert_eq!(listed.len(), 2);
    relay.finish();
}

#[test]
fn names_of_members_nobody_had_met_appear() {
    let (relay, alice, bob, carol) = lunch();
    for client in [&bob, &carol] {
        let group = until(client, "#lunch", |group| {
            group["members"].as_array().unwrap().iter().all(|member| member["named"] == true)
        });
        assert_eq!(members(&group), ["alice owner", "bob member", "carol member"]);
    }
    carol.send("#lunch", "hello", &["--timeout", "60s"]).ok();
    assert_eq!(heard(&bob, "#lunch", "hello"), ["carol: hello"]);
    drop(alice);
    relay.finish();
}

#[test]
fn names_that_are_none_are_refused() {
    let (relay, alice, _bob, _carol) = three();
    alice.run(&["group", "create", " "]).expect_code(2);
    alice.run(&["group", "create", "two\nlines"]).expect_code(2);
    alice.run(&["group", "create", "lunch", "nobody-at-all", "--timeout", "60s"]).expect_code(1);
    assert_eq!(alice.run(&["group", "list"]).ok().stdout, "", "and nothing was made");
    relay.finish();
}

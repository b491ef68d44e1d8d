//! Channels: few write, many read, and a link lets people in.

use super::common::*;

#[test]
fn members_of_a_channel_read_only() {
    let (relay, alice, bob, carol) = three();
    alice.run(&["channel", "create", "news", "bob", "carol", "--timeout", "60s"]).ok();
    for client in [&bob, &carol] {
        until(client, "#news", |group| group["state"] == "in" && group["kind"] == "channel");
    }
    let refused = bob.send("#news", "me too", &[]).expect_code(1);
    assert!(refused.stderr.contains("only owners and admins write"), "{refused:?}");
    alice.run(&["channel", "role", "#news", "carol", "admin", "--timeout", "60s"]).ok();
    until(&carol, "#news", |group| group["role"] == "admin");
    carol.send("#news", "first of all", &["--timeout", "60s"]).ok();
    assert_eq!(heard(&bob, "#news", "first of all"), ["carol: first of all"]);
    let waits = alice.send("#news", "read?", &["--wait", "read"]).expect_code(2);
    assert!(waits.stderr.contains("nobody says what they have received"), "{waits:?}");
    assert_eq!(alice.run(&["channel", "list", "--json"]).ok().one()["members"], 3);
    relay.finish();
}

#[test]
fn a_link_lets_people_in_until_it_is_taken_away() {
    let (relay, alice, bob, carol) = three();
    alice.run(&["channel", "create", "news", "--timeout", "60s"]).ok();
    let link = alice.run(&["channel", "invite", "#news", "--timeout", "60s"]).ok().stdout;
    assert!(link.starts_with("aside://channel/"), "{link}");
    assert_eq!(alice.run(&["channel", "invite", "#news"]).ok().stdout, link, "it stays the same");

    let follower = alice.follow();
    let joined = bob.run_with(&["channel", "join", "-", "--json", "--timeout", "60s"], link.as_bytes()).ok().one();
    assert_eq!((&joined["title"], &joined["state"]), (&"news".into(), &"in".into()));
    until(&bob, "#news", |group| members(group) == ["alice owner", "bob member"]);
    let again = bob.run(&["channel", "join", link.trim()]).ok();
    assert!(again.stderr.contains("already"), "{again:?}");
    drop(follower);
    alice.send("#news", "welcome", &["--timeout", "60s"]).ok();
    assert_eq!(heard(&bob, "#news", "welcome"), ["alice: welcome"]);

    alice.run(&["channel", "invite", "#news", "--off", "--timeout", "60s"]).ok();
    let follower = alice.follow();
    let late = carol.run(&["channel", "join", link.trim(), "--timeout", "3s"]).expect_code(6);
    assert!(late.stderr.contains("nobody has let you in yet"), "{late:?}");
    drop(follower);
    until(&alice, "#news", |group| members(group) == ["alice owner", "bob member"]);
    relay.finish();
}

#[test]
fn links_of_groups_and_damaged_links_are_refused() {
    let (relay, alice, _bob, _carol) = three();
    alice.run(&["group", "create", "lunch", "--timeout", "60s"]).ok();
    let none = alice.run(&["channel", "invite", "#lunch"]).expect_code(2);
    assert!(none.stderr.contains("only channels have links"), "{none:?}");
    alice.run(&["channel", "join", "aside://channel/AAAA"]).expect_code(2);
    alice.run(&["channel", "join", relay.first_invite()]).expect_code(2);
    relay.finish();
}

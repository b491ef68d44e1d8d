//! A device that is removed hears why, and gets nothing more.

use super::common::*;

#[test]
fn a_removed_device_hears_why_and_gets_nothing_more() {
    let (relay, alice, bob) = acquainted();
    let laptop = linked(&alice, "laptop");
    let id = device_id(&laptop);
    let own = device_id(&alice);
    let this = alice.run(&["device", "revoke", &own]).expect_code(2);
    assert!(this.stderr.contains("the device you are using"), "{}", this.stderr);
    alice.run(&["device", "revoke", "ffffffff"]).expect_code(2);
    let mut following = laptop.follow();
    let gone = alice.run(&["device", "revoke", &id[..8], "--json"]).ok().one();
    assert_eq!((&gone["device"], &gone["machine"]), (&id.clone().into(), &"laptop".into()));
    assert_eq!(following.wait(SOON), Some(3), "{}", following.log());
    assert!(following.log().contains("removed from its account"), "{}", following.log());
    bob.send("alice", "only for the desk", &["--timeout", "60s"]).ok();
    assert_eq!(texts(&follow(&alice, 1)), ["only for the desk"]);
    laptop.send("bob", "from the grave", &["--timeout", "5s"]).expect_code(3);
    assert!(!texts(&bob.recv(&["--timeout", "2s"]).json()).contains(&"from the grave".to_owned()));
    assert_eq!(alice.run(&["device", "list", "--json"]).ok().json().len(), 1);
    relay.finish();
}

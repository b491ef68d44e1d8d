//! Three people with two devices each in one group: one device is away all the time, one is revoked midway.

use super::common::*;
use aside_tests::{Client, Relay, RelayOptions};
use std::time::Duration;

const WAIT: [&str; 2] = ["--timeout", "60s"];

/// Waits until a device's history of the group ends with a text; its texts, in order.
#[track_caller]
fn heard(client: &Client, last: &str) -> Vec<String> {
    let mut said = Vec::new();
    aside_tests::wait_some(last, Duration::from_secs(90), || {
        // A command that connects takes what waits.
        client.run(&["recv", "--timeout", "1s"]);
        said = texts(&client.run(&["history", "#crowd", "--limit", "100", "--json"]).ok().json());
        (said.last().map(String::as_str) == Some(last)).then_some(())
    });
    said
}

#[test]
fn three_people_with_two_devices_each() {
    let relay = Relay::start(RelayOptions::default());
    let people = ["ann", "ben", "cat"].map(|name| Client::registered(name, relay.first_invite()));
    let [ann, ben, cat] = &people;
    let [ann2, ben2, cat2] = [linked(ann, "second"), linked(ben, "second"), linked(cat, "second")];
    ann.run(&["group", "create", "crowd", "ben", "cat", "--json"]).ok();
    let mut said = Vec::new();
    let write = |from: &Client, text: &str, said: &mut Vec<String>| {
        from.send("#crowd", text, &WAIT).ok();
        said.push(text.to_owned());
    };
    write(ann, "one", &mut said);
    assert_eq!(heard(ben, "one"), said);
    // The other device of the writer has it as well, as its own.
    assert_eq!(heard(&ann2, "one"), said);
    write(&ann2, "two", &mut said);
    assert_eq!(heard(cat, "two"), said);
    write(cat, "three", &mut said);
    for device in [ann, &ann2, ben, &ben2, cat] {
        assert_eq!(heard(device, "three"), said, "{}", device.name());
    }
    // Ben's second device is lost. Whoever knows of it sends nothing more to it.
    ben.run(&["device", "revoke", &device_id(&ben2)]).ok();
    aside_tests::wait_some("the group without the lost device", Duration::from_secs(90), || {
        ben.run(&["recv", "--timeout", "1s"]);
        let info = ben.run(&["group", "info", "#crowd", "--json"]).ok();
        info.stdout.contains("\"devices\":5").then_some(())
    });
    write(ben, "four", &mut said);
    write(ann, "five", &mut said);
    for device in [ann, &ann2, ben, cat] {
        assert_eq!(heard(device, "five"), said, "{}", device.name());
    }
    let late = ben2.run(&["recv", "--timeout", "5s"]);
    assert_ne!(late.code, Some(0), "{late:?}");
    let kept = texts(&ben2.run(&["history", "#crowd", "--limit", "100", "--json"]).ok().json());
    assert_eq!(kept, said[..3], "a revoked device keeps what it had and gets no more");
    // Cat's second device was away from the group's first day on: now it gets everything, in order.
    assert_eq!(heard(&cat2, "five"), said);
    relay.finish();
}

//! What these tests share: people on a relay, a group they are in, and what they see of it.

use aside_tests::{Client, Relay, RelayOptions, wait_some};
use serde_json::Value;
use std::time::Duration;

/// Long enough for anything on a busy machine.
pub const LONG: Duration = Duration::from_secs(90);

/// A registered person whose key packages are at the relay.
#[track_caller]
pub fn person(relay: &Relay, name: &str) -> Client {
    let client = Client::registered(name, relay.first_invite());
    client.recv(&["--timeout", "1s"]).ok();
    client
}

/// Alice, Bob and Carol on one relay; they have never met.
#[track_caller]
pub fn three() -> (Relay, Client, Client, Client) {
    let relay = Relay::start(RelayOptions::default());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| person(&relay, name));
    (relay, alice, bob, carol)
}

/// The same in Alice's group `lunch`, which everybody has joined.
#[track_caller]
pub fn lunch() -> (Relay, Client, Client, Client) {
    let (relay, alice, bob, carol) = three();
    let made = alice.run(&["group", "create", "lunch", "bob", "carol", "--json", "--timeout", "60s"]).ok().one();
    assert_eq!(members(&made), ["alice owner", "bob member", "carol member"]);
    for client in [&bob, &carol] {
        until(client, "#lunch", |group| group["state"] == "in");
    }
    (relay, alice, bob, carol)
}

/// What `group info` says, if there is such a group.
pub fn info(client: &Client, group: &str) -> Option<Value> {
    let run = client.run(&["group", "info", group, "--json"]);
    (run.code == Some(0)).then(|| run.one())
}

/// Lets a device catch up until its group looks so.
#[track_caller]
pub fn until(client: &Client, group: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    wait_some(&format!("{group} of {}", client.name()), LONG, || {
        client.recv(&["--timeout", "500ms", "--peek"]);
        info(client, group).filter(|group| wanted(group))
    })
}

/// Members and their roles, in the order of names.
pub fn members(group: &Value) -> Vec<String> {
    let entry = |member: &Value| {
        format!("{} {}", member["name"].as_str().unwrap_or_default(), member["role"].as_str().unwrap_or_default())
    };
    let mut members: Vec<String> = group["members"].as_array().unwrap().iter().map(entry).collect();
    members.sort();
    members
}

/// Lets a device catch up until the last text of a group is this one; who wrote what there, oldest first.
#[track_caller]
pub fn heard(client: &Client, group: &str, last: &str) -> Vec<String> {
    wait_some(&format!("{} hears {last:?}", client.name()), LONG, || {
        client.recv(&["--timeout", "500ms"]);
        let whole = |said: &Vec<String>| {
            said.last().is_some_and(|line| line.ends_with(last)) && !said.iter().any(|line| line.starts_with('?'))
        };
        Some(said(client, group)).filter(whole)
    })
}

/// Who wrote what in a group, oldest first.
pub fn said(client: &Client, group: &str) -> Vec<String> {
    let run = client.history(group, &["--limit", "100"]);
    let entries = if run.code == Some(0) { run.json() } else { Vec::new() };
    let messages = entries.iter().filter(|entry| entry["type"] == "message");
    messages.map(|m| format!("{}: {}", m["from"].as_str().unwrap(), m["text"].as_str().unwrap())).collect()
}

/// The notices in a group's history.
pub fn notices(client: &Client, group: &str) -> Vec<String> {
    let entries = client.history(group, &["--limit", "100"]).ok().json();
    let notices = entries.iter().filter(|entry| entry["type"] == "notice");
    notices.map(|notice| notice["text"].as_str().unwrap().to_owned()).collect()
}

//! People, their devices, and letting one in.

use aside_tests::{Background, Client, Relay, RelayOptions, wait_some};
use serde_json::Value;
use std::time::Duration;

pub const SOON: Duration = Duration::from_secs(60);

/// A relay, alice and bob, who have written to each other.
pub fn acquainted() -> (Relay, Client, Client) {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let bob = Client::registered("bob", relay.first_invite());
    alice.send("bob", "before", &["--timeout", "60s"]).ok();
    assert_eq!(texts(&follow(&bob, 1)), ["before"]);
    (relay, alice, bob)
}

/// `device add` in the background, and the code it printed.
pub fn offer(host: &Client) -> (Background, String) {
    let adding = host.spawn(&["device", "add", "--yes", "--json"]);
    let line = adding.wait_lines(1, SOON).remove(0);
    let line: Value = serde_json::from_str(&line).unwrap();
    (adding, line["code"].as_str().unwrap().to_owned())
}

/// `device link` in the background.
pub fn link(device: &Client, code: &str) -> Background {
    let mut linking = Background::interactive(&mut device.command(&["device", "link", "--json"]));
    linking.say([code]);
    linking.hush();
    linking
}

/// Another machine, let into the account of `host`.
pub fn linked(host: &Client, machine: &str) -> Client {
    let (mut adding, code) = offer(host);
    let device = Client::new(host.name());
    let run = device.run_with(&["device", "link", "--machine", machine, "--json"], code.as_bytes()).ok();
    assert_eq!(event(&run.json(), "linked")["name"], host.name());
    assert_eq!(event(&run.json(), "history_done")["error"], Value::Null);
    assert_eq!(adding.wait(SOON), Some(0), "{}", adding.log());
    let said = adding.json();
    assert_eq!(event(&said, "device_added")["machine"], machine);
    assert_eq!(event(&said, "device_in_chats")["chats_lacking"], 0);
    assert_eq!(event(&said, "history_done")["error"], Value::Null);
    device
}

/// The only line of a type.
pub fn event<'a>(said: &'a [Value], kind: &str) -> &'a Value {
    match &said.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>()[..] {
        [line] => line,
        _ => panic!("expected one {kind} in {said:#?}"),
    }
}

/// Waits for so many messages.
pub fn follow(client: &Client, count: usize) -> Vec<Value> {
    client.recv(&["--follow", "--limit", &count.to_string(), "--timeout", "60s"]).ok().json()
}

pub fn texts(said: &[Value]) -> Vec<String> {
    said.iter().filter(|line| line["type"] == "message").map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

/// What a chat's history says, once it is what is wanted.
pub fn history(client: &Client, with: &str, wanted: &[&str]) {
    wait_some(&format!("{wanted:?} in the history"), SOON, || {
        client.recv(&["--timeout", "1s"]);
        (texts(&client.history(with, &[]).json()) == wanted).then_some(())
    });
}

/// The id of a client's device.
pub fn device_id(client: &Client) -> String {
    client.whoami().ok().one()["device"].as_str().unwrap().to_owned()
}

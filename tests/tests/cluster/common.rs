//! Two people at different nodes, and what must hold of what they write.

use aside_tests::{Background, Client, Cluster, wait_for, wait_some};
use std::time::Duration;

/// Longer than any fault here lasts.
pub const SOON: Duration = Duration::from_secs(90);

/// Alice at one node, bob at another; they know each other.
pub fn two(cluster: &Cluster, alice_at: usize, bob_at: usize) -> (Client, Client) {
    let alice = Client::registered("alice", cluster.invite(alice_at));
    let bob = Client::registered("bob", cluster.invite(bob_at));
    alice.send("bob", "hello", &["--timeout", "60s"]).ok();
    bob.recv(&["--limit", "1", "--follow", "--timeout", "60s"]).ok();
    (alice, bob)
}

/// Writes numbered lines from one to another, in the background: `talk` sends as it can.
pub fn stream(from: &Client, to: &str) -> Background {
    from.talk(to)
}

/// Feeds so many numbered lines.
pub fn say(talk: &mut Background, numbers: std::ops::Range<usize>) {
    talk.say(numbers.map(|number| format!("line {number}")));
}

/// Waits until somebody has everything that was said, once and in order.
pub fn has_all(client: &Client, from: &str, count: usize) {
    let wanted: Vec<String> = (0..count).map(|number| format!("line {number}")).collect();
    let mut seen = Vec::new();
    wait_for("all lines to arrive", SOON, || {
        client.recv(&["--timeout", "1s", "--follow"]);
        seen = lines(client, from);
        seen.len() >= wanted.len()
    });
    assert_eq!(seen, wanted, "lost, doubled or out of order");
}

/// The numbered lines of a history.
pub fn lines(client: &Client, with: &str) -> Vec<String> {
    let history = client.whole_history(with);
    let texts = history.iter().filter_map(|entry| entry["text"].as_str());
    texts.filter(|text| text.starts_with("line ")).map(str::to_owned).collect()
}

/// What somebody who follows in the background has printed so far, of the numbered lines.
pub fn heard(follow: &Background) -> Vec<String> {
    let texts = follow.json().into_iter().filter_map(|entry| entry["text"].as_str().map(str::to_owned));
    texts.filter(|text| text.starts_with("line ")).collect()
}

/// Waits until somebody who follows in the background has printed so many numbered lines.
#[track_caller]
pub fn hears(follow: &Background, count: usize) {
    wait_for("the lines to be heard", SOON, || heard(follow).len() >= count);
}

/// Devices connected to a node, as it says.
pub fn connected(cluster: &Cluster, node: usize) -> u64 {
    wait_some("the node's state", SOON, || {
        let status = cluster.status()?;
        let nodes = status["nodes"].as_array()?;
        nodes.iter().find(|one| one["node"] == format!("node-{node}"))?["connected"].as_u64()
    })
}

/// Waits until a node has said something.
#[track_caller]
pub fn says(cluster: &Cluster, node: usize, what: &str) {
    wait_for(what, SOON, || cluster.log_of(node).contains(what));
}

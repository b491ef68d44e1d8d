//! Two people at different nodes, and what must hold of what they write.

use aside_tests::{Background, Client, Cluster, wait_for};
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

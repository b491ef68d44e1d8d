//! What the scenarios share: starting, reading what was printed, checking that everybody can talk.

use aside_tests::{Background, Client, Relay, RelayOptions, Run, wait_some};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longer than anything here may take, even on a busy machine; reaching it is a failure.
pub const SOON: Duration = Duration::from_secs(60);
/// The same for `--timeout`.
pub const WAIT: &str = "60s";

/// A relay with two people who have never met.
pub fn two() -> (Relay, Client, Client) {
    two_with(RelayOptions::default())
}

pub fn two_with(options: RelayOptions) -> (Relay, Client, Client) {
    let relay = Relay::start(options);
    let alice = impatient("alice", relay.first_invite());
    let bob = impatient("bob", relay.first_invite());
    (relay, alice, bob)
}

/// Registered, and asking to be added again after a second without a welcome.
pub fn impatient(name: &str, invite: &str) -> Client {
    let mut client = Client::new(name);
    client.set_env("ASIDE_WELCOME_PATIENCE_SECONDS", "1");
    client.register(invite).ok();
    client
}

/// Sends and waits until the relay has it; panics otherwise.
#[track_caller]
pub fn say(from: &Client, to: &Client, text: &str) {
    let sent = from.send(to.name(), text, &["--timeout", WAIT]).ok().one();
    assert_ne!(sent["status"], "pending", "{sent}");
}

/// Receives exactly these texts, in this order.
#[track_caller]
pub fn hear(at: &Client, texts: &[&str]) {
    let limit = texts.len().to_string();
    let run = at.recv(&["--follow", "--limit", &limit, "--timeout", WAIT]).ok();
    assert_eq!(texts_of(&run.json()), texts, "{run:#?}");
}

/// Both have talked: a chat exists, and each has printed what the other wrote.
#[track_caller]
pub fn acquaint(alice: &Client, bob: &Client) {
    say(alice, bob, "hello from alice");
    hear(bob, &["hello from alice"]);
    say(bob, alice, "hello from bob");
    hear(alice, &["hello from bob"]);
}

/// The texts of the messages among printed lines, in order.
pub fn texts_of(lines: &[Value]) -> Vec<String> {
    let messages = lines.iter().filter(|line| line["type"] == "message");
    messages.map(|line| line["text"].as_str().expect("a message has a text").to_owned()).collect()
}

/// All of a history, oldest first, page by page.
#[track_caller]
pub fn history(of: &Client, with: &str) -> Vec<Value> {
    let (mut all, mut before): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let mut args = vec!["--limit", "100"];
        args.extend(before.iter().flat_map(|cursor| ["--before", cursor.as_str()]));
        let mut page = of.history(with, &args).ok().json();
        let end = page.pop().expect("a page ends with its cursor");
        assert_eq!(end["type"], "page");
        page.append(&mut all);
        all = page;
        match end["next"].as_str() {
            Some(next) => before = Some(next.to_owned()),
            None => return all,
        }
    }
}

/// The texts of somebody's messages in a history, after checking that none is there twice.
#[track_caller]
pub fn told(history: &[Value], own: bool) -> Vec<String> {
    let mine: Vec<Value> = history.iter().filter(|line| line["own"] == own).cloned().collect();
    let ids: BTreeSet<String> = mine.iter().map(|line| format!("{}/{}", line["device"], line["id"])).collect();
    assert_eq!(ids.len(), mine.len(), "a message is there twice: {history:#?}");
    texts_of(&mine)
}

/// Texts of notices in a history.
pub fn notices(history: &[Value]) -> Vec<String> {
    let notices = history.iter().filter(|line| line["type"] == "notice");
    notices.map(|line| line["text"].as_str().expect("a notice has a text").to_owned()).collect()
}

/// Panics unless the seqs of what stands in a history rise.
#[track_caller]
pub fn in_order(history: &[Value]) {
    let seqs: Vec<u64> = history.iter().filter_map(|line| line["seq"].as_u64()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] < pair[1]), "seqs do not rise: {seqs:?}");
}

/// Everybody can talk again: one message each way arrives while the other follows. Returns what the followers printed.
#[track_caller]
pub fn talk_again(alice: &Client, bob: &Client, tag: &str) -> (Vec<String>, Vec<String>) {
    let (there, back) = (format!("{tag}: alice to bob"), format!("{tag}: bob to alice"));
    let at_bob = deliver(alice, bob, &there);
    let at_alice = deliver(bob, alice, &back);
    (at_alice, at_bob)
}

/// Sends while the other follows, until it is delivered; returns all that the follower printed.
#[track_caller]
pub fn deliver(from: &Client, to: &Client, text: &str) -> Vec<String> {
    let mut follower = to.follow();
    from.send(to.name(), text, &["--wait", "delivered", "--timeout", WAIT]).ok();
    printed(&follower, text);
    assert_eq!(follower.terminate(SOON), Some(0), "{}", follower.log());
    texts_of(&follower.json())
}

/// Waits until a follower has printed a text.
#[track_caller]
pub fn printed(follower: &Background, text: &str) -> Vec<String> {
    wait_some(&format!("{text:?} to be printed"), SOON, || {
        Some(texts_of(&follower.json())).filter(|texts| texts.iter().any(|one| one == text))
    })
}

/// Panics unless each text is there exactly once, in this order, whatever else is there.
#[track_caller]
pub fn once_each(all: &[String], texts: &[&str]) {
    let found: Vec<&String> = all.iter().filter(|text| texts.contains(&text.as_str())).collect();
    assert_eq!(found, texts, "of {all:#?}");
}

/// Panics unless a command failed with `code` and one sentence that holds `words`.
#[track_caller]
pub fn fails_with(run: Run, code: i32, words: &str) -> Run {
    let run = run.expect_code(code);
    assert!(run.stderr.contains(words), "expected {words:?} in {run:#?}");
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("report this"), "{run:#?}");
    run
}

/// Ends a relay in order, and replays its commands in two ways that must lead to one state.
#[track_caller]
pub fn finish(mut relay: Relay) {
    relay.stop();
    assert!(!relay.process().log().contains("panicked"), "{}", relay.process().log());
    relay.finish();
}

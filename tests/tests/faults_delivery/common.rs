//! What the fault tests share: people on a relay, what they said and heard, and the proof that both sides agree.

use aside_tests::{Background, Client, FaultProxy, Relay, RelayOptions, wait_some};
use serde_json::Value;
use std::ops::Range;
use std::time::Duration;

/// Long enough for the next thing to happen on a busy machine; reaching it means that something is lost or stuck.
pub const LONG: Duration = Duration::from_secs(60);

/// Two people on one relay.
pub struct Pair {
    pub relay: Relay,
    pub alice: Client,
    pub bob: Client,
}

impl Pair {
    /// Alice and Bob, registered, with their key packages at the relay.
    pub fn start(options: RelayOptions) -> Self {
        Self::at(Relay::start(options))
    }

    /// The same on a relay that runs.
    pub fn at(relay: Relay) -> Self {
        let (alice, bob) = (settled("alice", relay.first_invite()), settled("bob", relay.first_invite()));
        Self { relay, alice, bob }
    }

    /// The same, where every device renews its keys after so many messages of its own: commits that make the other
    /// side's messages on their way `Stale`.
    pub fn restless(options: RelayOptions, update_after: u64) -> Self {
        let mut pair = Self::start(options);
        for client in [&mut pair.alice, &mut pair.bob] {
            client.set_env("ASIDE_UPDATE_AFTER_MESSAGES", &update_after.to_string());
        }
        pair
    }

    pub fn proxy(&self) -> &FaultProxy {
        self.relay.proxy()
    }

    /// Ends the test: nothing is left to print, both histories are one, with exactly these texts, and the relay's
    /// command log leads to one state.
    #[track_caller]
    pub fn prove(self, alice_said: &[String], bob_said: &[String]) {
        agreed(&self.alice, &self.bob, alice_said, bob_said);
        self.relay.finish();
    }
}

/// A registered person whose device was connected once, so that its key packages are at the relay.
#[track_caller]
pub fn settled(name: &str, invite: &str) -> Client {
    let client = Client::registered(name, invite);
    client.recv(&["--timeout", "1s"]).ok();
    client
}

/// `prefix first`, …: texts that differ from all others.
pub fn texts(prefix: &str, numbers: Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("{prefix} {number}")).collect()
}

/// What `talk` printed of somebody's texts.
pub fn heard(talk: &Background, from: &str) -> Vec<String> {
    let start = format!("{from}: ");
    talk.lines().iter().filter_map(|line| line.strip_prefix(&start).map(str::to_owned)).collect()
}

/// The texts that `recv --json` printed; a last line without its end, as a kill leaves it, does not count.
pub fn printed(recv: &Background) -> Vec<String> {
    let values = recv.lines().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    values.filter_map(|value| value["text"].as_str().map(str::to_owned)).collect()
}

/// Waits until `talk` printed at least so many texts of somebody.
#[track_caller]
pub fn wait_heard(talk: &Background, from: &str, count: usize) {
    wait_counted(&format!("texts of {from}"), count, || heard(talk, from).len());
}

/// Waits until `recv` printed at least so many texts.
#[track_caller]
pub fn wait_printed(recv: &Background, count: usize) {
    wait_counted("texts printed", count, || printed(recv).len());
}

/// Waits until there are at least so many, as long as they become more: many take a busy machine longer than a few.
#[track_caller]
fn wait_counted(what: &str, wanted: usize, count: impl Fn() -> usize) {
    let mut now = count();
    while now < wanted {
        now = wait_some(&format!("{wanted} {what}, of which {now} are there"), LONG, || {
            Some(count()).filter(|next| *next > now)
        });
    }
}

/// Ends `talk` as a person does, by ending its input; it must end well.
#[track_caller]
pub fn leave(mut talk: Background) {
    talk.hush();
    let code = talk.wait(LONG);
    assert!(code == Some(0), "talk ended with {code:?}:\n{}", talk.log());
}

/// Interrupts `recv --follow`; it must end well. Returns what it printed.
#[track_caller]
pub fn interrupt(mut recv: Background) -> Vec<String> {
    let code = recv.terminate(LONG);
    assert!(code == Some(0), "recv ended with {code:?}:\n{}", recv.log());
    printed(&recv)
}

/// Panics unless both are the same, naming the first difference and what is lost or doubled.
#[track_caller]
pub fn assert_texts(what: &str, got: &[String], wanted: &[String]) {
    if got == wanted {
        return;
    }
    let at = got.iter().zip(wanted).take_while(|(got, wanted)| got == wanted).count();
    let lost: Vec<&String> = wanted.iter().filter(|text| !got.contains(text)).take(10).collect();
    let twice: Vec<&String> =
        got.iter().filter(|text| got.iter().filter(|other| other == text).count() > 1).take(10).collect();
    panic!(
        "{what}: {} texts instead of {}; first difference at {at}: {:?} instead of {:?}; lost {lost:?}…, twice {twice:?}…",
        got.len(),
        wanted.len(),
        got.get(at),
        wanted.get(at),
    );
}

/// One message of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub seq: u64,
    pub from: String,
    pub text: String,
}

/// A whole history: messages only, no gap and no notice, each with its `seq`, which strictly rises.
#[track_caller]
pub fn conversation(client: &Client, with: &str) -> Vec<Line> {
    let entries = client.whole_history(with);
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let line = |entry: &Value| {
        let seq = entry["seq"].as_u64().filter(|_| entry["type"] == "message");
        let seq = seq.unwrap_or_else(|| panic!("{}'s history has {entry}", client.name()));
        Line { seq, from: text(entry, "from"), text: text(entry, "text") }
    };
    let lines: Vec<Line> = entries.iter().map(line).collect();
    for pair in lines.windows(2) {
        assert!(pair[0].seq < pair[1].seq, "{}'s history is out of order: {pair:?}", client.name());
    }
    lines
}

/// The texts of one author.
pub fn by(lines: &[Line], from: &str) -> Vec<String> {
    lines.iter().filter(|line| line.from == from).map(|line| line.text.clone()).collect()
}

/// Nothing is left to print, and both histories are one and the same, with exactly these texts in this order.
#[track_caller]
pub fn agreed(one: &Client, other: &Client, one_said: &[String], other_said: &[String]) -> Vec<Line> {
    for client in [one, other] {
        let left = client.recv(&["--timeout", "1s"]).ok();
        assert!(left.stdout.is_empty(), "{} printed something again, or late: {}", client.name(), left.stdout);
    }
    let lines = conversation(one, other.name());
    assert_texts(&format!("what {} said, in the history", one.name()), &by(&lines, one.name()), one_said);
    assert_texts(&format!("what {} said, in the history", other.name()), &by(&lines, other.name()), other_said);
    let mirrored = conversation(other, one.name());
    assert!(lines == mirrored, "the two histories differ:\n{lines:#?}\n{mirrored:#?}");
    lines
}

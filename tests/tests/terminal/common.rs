//! Two people at one relay, and what they do all the time.

use aside_tests::{Client, Key, Relay, RelayOptions, Terminal};
use std::time::{Duration, Instant};

/// The window most tests use.
pub const SIZE: (u16, u16) = (80, 24);

/// A relay, alice and bob.
pub fn two() -> (Relay, Client, Client) {
    two_at(RelayOptions::default())
}

/// The same at a relay of some kind.
pub fn two_at(options: RelayOptions) -> (Relay, Client, Client) {
    let relay = Relay::start(options);
    let alice = Client::registered("alice", relay.first_invite());
    let bob = Client::registered("bob", relay.first_invite());
    (relay, alice, bob)
}

/// A message each way, read, so that both have the chat.
pub fn acquaint(alice: &Client, bob: &Client) {
    say(alice, bob, "Hello bob");
    bob.recv(&["--follow", "--limit", "1", "--timeout", "60s"]).ok();
    say(bob, alice, "Hello alice");
    alice.recv(&["--follow", "--limit", "1", "--timeout", "60s"]).ok();
}

/// One message from the command line.
pub fn say(from: &Client, to: &Client, text: &str) {
    from.send(to.name(), text, &["--timeout", "60s"]).ok();
}

/// Many messages from the command line, in one go.
pub fn say_all(from: &Client, to: &Client, texts: impl IntoIterator<Item = String>) {
    let mut talk = from.talk(to.name());
    talk.say(texts);
    talk.hush();
    assert_eq!(talk.wait(Duration::from_secs(120)), Some(0), "{}", talk.log());
}

/// The program, connected.
pub fn online(client: &Client) -> Terminal {
    let terminal = Terminal::start(client, &[], SIZE.0, SIZE.1);
    terminal.wait_for("online");
    terminal
}

/// Opens the chat with somebody by name, known or not.
pub fn chat(terminal: &Terminal, name: &str) {
    terminal.key(Key::Ctrl('p'));
    terminal.wait_for("Find or begin a chat");
    terminal.press(name);
    terminal.wait_for(&format!("> {name}"));
    terminal.key(Key::Enter);
    terminal.wait_gone("Find or begin a chat");
    terminal.wait_until("the composer", |screen| composer(screen).is_some());
}

/// The program, connected, with a chat open.
pub fn chatting(client: &Client, with: &str) -> Terminal {
    let terminal = online(client);
    chat(&terminal, with);
    terminal
}

/// Types into the open chat of two who are acquainted. Returns the screen that then stays as it is: what was typed is
/// there, and so is the history, which is read from the store while a person may already be typing.
#[track_caller]
pub fn writing(terminal: &Terminal, text: &str) -> String {
    terminal.press(text);
    terminal.wait_until("what was typed, under the history", |screen| {
        let read = row(screen, "Hello bob").is_some_and(|row| row.trim_end().ends_with("✓✓•"));
        read && row(screen, "bob   Hello alice").is_some() && composer(screen).as_deref() == Some(text)
    })
}

/// What stands in the composer's first row, if it is there.
pub fn composer(screen: &str) -> Option<String> {
    let first = |row: &&str| *row == ">" || row.starts_with("> ");
    let row = conversation(screen).filter(first).last()?;
    Some(row[1..].trim().to_owned())
}

/// The row of the conversation that holds these words.
pub fn row<'a>(screen: &'a str, words: &str) -> Option<&'a str> {
    conversation(screen).find(|row| row.contains(words))
}

/// What is to the right of the chat list, if that is there.
fn conversation(screen: &str) -> impl Iterator<Item = &str> {
    screen.lines().map(|row| row.split_once('│').map_or(row, |(_, right)| right))
}

/// Waits until a row of the conversation holds the words and ends so.
#[track_caller]
pub fn wait_tick(terminal: &Terminal, words: &str, tick: &str) -> String {
    let ends = |row: &str| row.trim_end().rsplit(' ').next() == Some(tick);
    terminal.wait_until(&format!("{words:?} with {tick}"), |screen| row(screen, words).is_some_and(ends))
}

/// Leaves with `:quit` and wants a good end.
#[track_caller]
pub fn quit(mut terminal: Terminal) {
    terminal.key(Key::Ctrl('c'));
    terminal.wait_for("once more leaves");
    terminal.key(Key::Ctrl('c'));
    let status = terminal.wait_exit();
    assert!(status.success(), "{status}");
    assert!(terminal.is_restored(), "the terminal is not as it was");
}

/// Proves that nothing went wrong at the relay.
pub fn finish(relay: Relay) {
    relay.finish();
}

/// The texts of a whole history, oldest first.
pub fn texts(client: &Client, with: &str) -> Vec<String> {
    let history = client.whole_history(with);
    history.iter().filter_map(|entry| entry["text"].as_str()).map(str::to_owned).collect()
}

/// How long a screen may take to become what its snapshot says; ticks and counts come a moment after the words.
const SETTLES: Duration = Duration::from_secs(20);

/// Waits until the screen is what the snapshot says, or time is up and the comparison shall show the difference.
pub fn settle(terminal: &Terminal, snapshot: &str) {
    let path = format!("{}/tests/terminal/snapshots/{snapshot}.snap", env!("CARGO_MANIFEST_DIR"));
    let Ok(snapshot) = std::fs::read_to_string(path) else { return };
    let wanted = snapshot.splitn(3, "---\n").nth(2).unwrap_or_default().trim_end().to_owned();
    let deadline = Instant::now() + SETTLES;
    while terminal.masked().trim_end() != wanted && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
}

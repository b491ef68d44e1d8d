//! The history goes over to a new device, whoever is killed meanwhile: every message once, and where it stood.

use super::common::*;
use aside_protocol::{AccountId, DeviceId, MessageId, Millis, Seq};
use aside_store::exports::ExportState;
use aside_store::imports::{Import, ImportState};
use aside_store::messages::Arrival;
use aside_store::{ProfileFolder, Store, StoreError, Tx};
use aside_tests::{Background, Client, wait_some};
use std::path::Path;
use std::time::{Duration, Instant};

/// Enough that neither side is done before it is killed.
const MANY: u64 = 30_000;
/// Messages stored at a time.
const AT_ONCE: u64 = 10_000;

/// Looks into a client's database, which no command may have open.
fn store(client: &Client) -> Store {
    Store::open(&ProfileFolder::new(profile(client.home()))).unwrap()
}

/// The one profile in a home.
fn profile(home: &Path) -> std::path::PathBuf {
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join("history.db").exists() {
            return folder;
        }
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    panic!("no profile in {}", home.display());
}

/// Puts so many messages before what two have written to each other, as an earlier log of the relay would have left them.
fn fill(client: &Client, with: &str, messages: u64) {
    let mut store = store(client);
    let who = |tx: &Tx| {
        let own = tx.profile()?.unwrap();
        let peer = tx.accounts()?.into_iter().find(|account| account.name.as_str() == with).unwrap();
        let mut chat = tx.direct_chat(&own.account, &peer.account, Millis(1))?;
        tx.raise_shift(&mut chat, messages)?;
        let device = peer.list.list.devices[0].device;
        Ok::<_, StoreError>((chat.row, [(own.account, own.device), (peer.account, device)]))
    };
    let (chat, people) = store.transact(who).unwrap();
    for first in (0..messages).step_by(AT_ONCE as usize) {
        let some = |tx: &Tx| (first..messages.min(first + AT_ONCE)).try_for_each(|at| write(tx, chat, people, at));
        store.transact::<_, StoreError>(some).unwrap();
    }
}

fn write(tx: &Tx, chat: i64, people: [(AccountId, DeviceId); 2], number: u64) -> Result<(), StoreError> {
    let own = number.is_multiple_of(3);
    let (author, device) = people[usize::from(!own)];
    let mut id = [5; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let time = Millis(1_735_689_600_000 + number * 60_000);
    let text = format!("message {number} of a history that is as long as those of people who write to each other");
    let (id, seq, place) = (MessageId(id), Seq(number + 1), number + 1);
    let arrival = Arrival { author, device, id, own, seq, place, text: &text, sent_at: time, relay_time: time };
    tx.insert_past(chat, &arrival).map(drop)
}

/// Place, text and owner of every text in the chat with somebody, in order.
fn all(client: &Client, with: &str) -> Vec<(u64, String, bool)> {
    let read = store(client).read(|tx| {
        let own = tx.profile()?.unwrap();
        let peer = tx.accounts()?.into_iter().find(|account| account.name.as_str() == with).unwrap();
        let chat = tx.chat(&aside_protocol::ChatId::direct(&own.account, &peer.account))?.unwrap();
        let rows = tx.past_before(Millis(0), i64::MAX, u32::MAX)?.into_iter().filter(|row| row.chat == chat.row);
        Ok::<_, StoreError>(rows.map(|row| (row.place, row.text, row.account == own.account)).collect())
    });
    let mut rows: Vec<_> = read.unwrap();
    rows.sort();
    rows
}

fn import(client: &Client) -> Option<Import> {
    store(client).read::<_, StoreError>(|tx| Ok(tx.imports()?.pop())).unwrap()
}

/// Waits for the first sign that something has moved, and not all.
fn moving(command: &Background) {
    wait_some("progress", SOON, || command.json().iter().any(|line| line["type"] == "history_progress").then_some(()));
}

#[test]
fn killed_on_either_side_it_goes_on_and_every_message_is_there_once() {
    let (relay, alice, _bob) = acquainted();
    fill(&alice, "bob", MANY);
    let (mut adding, code) = offer(&alice);
    let laptop = Client::new("alice");
    let mut linking = link(&laptop, &code);
    moving(&adding);
    adding.kill();
    let export = store(&alice).read::<_, StoreError>(|tx| Ok(tx.exports()?.remove(0))).unwrap();
    assert_eq!(export.state, ExportState::Making, "killed in the middle of it");
    // Whatever keeps a connection goes on with it.
    let following = alice.follow();
    moving(&linking);
    linking.kill();
    let before = import(&laptop).unwrap();
    assert!(before.state == ImportState::Fetching && before.stored < MANY, "killed in the middle of it: {before:?}");
    let done = wait_some("the whole history", 2 * SOON, || {
        laptop.recv(&["--timeout", "1s"]);
        import(&laptop).filter(|import| import.state == ImportState::Done)
    });
    assert_eq!((done.stored, done.missing), (done.messages, 0));
    drop(following);
    let (old, new) = (all(&alice, "bob"), all(&laptop, "bob"));
    assert_eq!(old.len() as u64, MANY + 1, "with what they had written before");
    assert!(old == new, "{} messages there, {} here", old.len(), new.len());
    let shown = laptop.history("bob", &["--limit", "2"]).ok().json();
    assert_eq!(texts(&shown).last().unwrap(), "before");
    relay.finish();
}

#[test]
fn only_what_was_chosen_goes_over() {
    let (relay, alice, bob) = acquainted();
    fill(&alice, "bob", 10);
    alice.run(&["device", "add", "--yes", "--history", "some"]).expect_code(2);
    // What bob writes to the first device is there for the second one.
    for (wish, wanted) in [("none", 0), ("since=2026-01-01", 2)] {
        let mut adding = alice.spawn(&["device", "add", "--yes", "--json", "--history", wish]);
        let code = adding.wait_lines(1, SOON).remove(0);
        let code: serde_json::Value = serde_json::from_str(&code).unwrap();
        let device = Client::new("alice");
        device.run_with(&["device", "link", "--json"], code["code"].as_str().unwrap().as_bytes()).ok();
        assert_eq!(adding.wait(SOON), Some(0), "{}", adding.log());
        bob.send("alice", wish, &["--timeout", "60s"]).ok();
        follow(&device, 1);
        assert_eq!(all(&device, "bob").len(), wanted + 1, "{wish}");
        follow(&alice, 1);
    }
    relay.finish();
}

/// How long 100,000 messages take on loopback; run it alone, with `--ignored --nocapture` and `ASIDE_BIN_DIR`.
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_messages() {
    let (relay, alice, _bob) = acquainted();
    fill(&alice, "bob", 100_000);
    let (mut adding, code) = offer(&alice);
    let laptop = Client::new("alice");
    let began = Instant::now();
    let mut linking = link(&laptop, &code);
    let since = |command: &Background, kind: &str| {
        wait_some(kind, Duration::from_secs(600), || {
            command.json().iter().any(|line| line["type"] == kind).then(|| began.elapsed())
        })
    };
    println!("let in      {:?}", since(&adding, "device_added"));
    println!("in chats    {:?}", since(&adding, "device_in_chats"));
    println!("first part  {:?}", since(&adding, "history_progress"));
    println!("at relay    {:?}", since(&adding, "history_done"));
    println!("stored      {:?}", since(&linking, "history_done"));
    assert_eq!((adding.wait(SOON), linking.wait(SOON)), (Some(0), Some(0)));
    assert_eq!(import(&laptop).unwrap().stored, 100_001);
    relay.finish();
}

#[test]
fn what_was_written_in_a_group_is_there_under_its_name() {
    let (relay, alice, bob) = acquainted();
    alice.run(&["group", "create", "plans", "bob", "--json"]).ok();
    alice.send("#plans", "for all", &["--timeout", "60s"]).ok();
    follow(&bob, 1);
    bob.send("#plans", "seen", &["--timeout", "60s"]).ok();
    follow(&alice, 1);
    let laptop = linked(&alice, "laptop");
    history(&laptop, "#plans", &["for all", "seen"]);
    // Nothing of it is news there, and what comes now stands behind it.
    bob.send("#plans", "and now", &["--timeout", "60s"]).ok();
    assert_eq!(texts(&follow(&laptop, 1)), ["and now"]);
    history(&laptop, "#plans", &["for all", "seen", "and now"]);
    relay.finish();
}

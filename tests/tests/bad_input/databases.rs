//! Databases that are damaged, of another key, newer than the program, or not there: a clear error, and nothing changed.

use super::said::fails_saying;
use aside_tests::{Client, Relay, RelayOptions, Run, search};
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};

fn profile(client: &Client) -> PathBuf {
    client.home().join("profiles/default")
}

/// The database with its own key; no command may be running.
fn open(client: &Client) -> Connection {
    let key = data_encoding::HEXLOWER.encode(&fs::read(profile(client).join("db.key")).unwrap());
    let database = Connection::open(profile(client).join("history.db")).unwrap();
    database.pragma_update(None, "key", format!("x'{key}'")).unwrap();
    database
}

/// Every command that opens the profile.
fn each_command(client: &Client) -> Vec<Run> {
    let commands: [&[&str]; 5] =
        [&["whoami"], &["chats"], &["history", "bob"], &["recv", "--timeout", "1s"], &["send", "bob", "hi"]];
    commands.iter().map(|args| client.run(args)).collect()
}

fn bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let lock = |path: &PathBuf| !path.ends_with("profile.lock");
    let mut all: Vec<_> =
        search::files(folder).into_iter().filter(lock).map(|p| (p.clone(), fs::read(p).unwrap())).collect();
    all.sort();
    all
}

#[test]
fn without_a_profile_every_command_says_how_to_make_one() {
    let client = Client::new("alice");
    for run in each_command(&client) {
        fails_saying(run, 1, &["there is no profile", "aside register <invite> --name <name>"]);
    }
}

#[test]
fn a_damaged_history_or_another_key_is_named_and_left_as_it_is() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    // Without this the journal would hold most of it still, and heal the file.
    open(&alice).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let whole = alice.snapshot();
    let (database, key) = (profile(&alice).join("history.db"), profile(&alice).join("db.key"));
    let length = fs::metadata(&database).unwrap().len() as usize;
    let what_to_do = ["damaged", "restore", "backup", "register again"];
    let damages: [(&Path, Vec<u8>); 4] = [
        (&database, vec![0x5a; length]),
        (&database, b"not a database".to_vec()),
        (&key, vec![1; 48]),
        (&key, vec![1; 7]),
    ];
    for (path, content) in damages {
        alice.restore(&whole);
        fs::write(path, content).unwrap();
        let before = bytes(alice.home());
        for run in each_command(&alice) {
            fails_saying(run, 1, &what_to_do);
        }
        assert_eq!(bytes(alice.home()), before, "a command that fails changes nothing");
    }
    alice.restore(&whole);
    assert_eq!(alice.whoami().ok().one()["name"], "alice");
    relay.finish();
}

#[test]
fn a_page_that_is_damaged_is_found_when_it_is_read() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    let database = profile(&alice).join("history.db");
    let mut content = fs::read(&database).unwrap();
    // All pages but the first, which alone is read when the database is opened.
    content[4096..].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&database, content).unwrap();
    for run in each_command(&alice) {
        fails_saying(run, 1, &["damaged", "restore"]);
    }
    relay.finish();
}

#[test]
fn a_history_of_a_newer_version_asks_for_an_update() {
    let relay = Relay::start(RelayOptions::default());
    let alice = Client::registered("alice", relay.first_invite());
    open(&alice).pragma_update(None, "user_version", 99).unwrap();
    for run in each_command(&alice) {
        fails_saying(run, 1, &["newer aside", "schema 99", "update aside"]);
    }
    relay.finish();
}

#[test]
fn a_relays_database_that_is_damaged_foreign_or_newer_is_named() {
    let mut relay = Relay::start(RelayOptions::default());
    relay.stop();
    let data = relay.data();
    let (database, folder) = (data.join("relay.db"), data.to_string_lossy().into_owned());
    let serve = || relay.admin(&["serve", "--data", &folder, "--listen", "127.0.0.1:0"]);
    let whole = fs::read(&database).unwrap();
    fs::write(&database, vec![0x5a; whole.len()]).unwrap();
    fails_saying(serve(), 1, &["not a database of aside-relay", "name another data folder"]);
    fs::write(&database, &whole).unwrap();
    Connection::open(&database).unwrap().pragma_update(None, "user_version", 99).unwrap();
    fails_saying(serve(), 1, &["schema 99", "install the newer relay"]);
    fails_saying(relay.admin(&["invite", "--data", &folder]), 1, &["schema 99"]);
    fs::remove_file(&database).unwrap();
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE theirs (x); PRAGMA user_version = 1").unwrap();
    fails_saying(serve(), 1, &["not a database of aside-relay"]);
    fs::write(&database, &whole).unwrap();
    fs::write(data.join("identity.key"), b"short").unwrap();
    fails_saying(serve(), 1, &["identity.key is damaged", "restore it from a backup"]);
}

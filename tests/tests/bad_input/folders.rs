//! Folders that cannot be written. Tests may run as root, who ignores permissions: files stand in the folders' places.

use super::said::fails_saying;
use aside_tests::{Client, Relay, RelayOptions};
use std::fs;

const WHAT_TO_DO: [&str; 3] = ["cannot use", "check its permissions", "ASIDE_HOME"];

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let relay = Relay::start(RelayOptions::default());
    let mut client = Client::new("alice");
    let file = client.home().join("file");
    fs::write(&file, "in the way").unwrap();
    for home in [file.to_string_lossy().into_owned(), format!("{}/below", file.display()), "/proc/aside".into()] {
        client.set_env("ASIDE_HOME", &home);
        let words = client.home().join("words.txt");
        let register =
            ["register", relay.first_invite(), "--name", "alice", "--recovery-file", &words.to_string_lossy()];
        fails_saying(client.run(&register), 1, &[&WHAT_TO_DO[..], &[&home]].concat());
        assert!(!words.exists(), "no words of an account that never was");
    }
    // The relay heard of none of them.
    ["alice", "bob", "carol", "dave", "erin"]
        .iter()
        .for_each(|name| drop(Client::registered(name, relay.first_invite())));
    relay.finish();
}

#[test]
fn a_recovery_file_that_cannot_be_written_stops_the_registration() {
    let relay = Relay::start(RelayOptions::default());
    let client = Client::new("alice");
    let taken = client.home().join("taken.txt");
    fs::write(&taken, "the words of somebody else").unwrap();
    let register =
        |path: &str| client.run(&["register", relay.first_invite(), "--name", "alice", "--recovery-file", path]);
    fails_saying(register("/proc/words.txt"), 1, &["cannot use /proc/words", "check its permissions"]);
    let path = taken.to_string_lossy().into_owned();
    fails_saying(register(&path), 1, &[&path, "exists already", "move it away or pass another --recovery-file"]);
    assert_eq!(fs::read_to_string(&taken).unwrap(), "the words of somebody else");
    client.register(relay.first_invite()).ok();
    relay.finish();
}

#[test]
fn a_lost_lock_file_or_a_folder_in_its_place_is_named() {
    let relay = Relay::start(RelayOptions::default());
    let client = Client::registered("alice", relay.first_invite());
    let lock = client.home().join("profiles/default/profile.lock");
    fs::remove_file(&lock).unwrap();
    client.whoami().ok();
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    fails_saying(client.whoami(), 1, &["profile.lock", "check its permissions"]);
    relay.finish();
}

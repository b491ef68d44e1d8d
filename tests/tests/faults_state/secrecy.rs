//! No plaintext and no key at the relay, on the wire, or in clients' files at rest; all files for their owner only.

use super::common::*;
use aside_store::{ProfileFolder, Store, StoreError};
use aside_tests::{Client, RelayOptions, search};
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

const TEXTS: [&str; 3] = ["the eagle lands at dawn", "bring forty-two herrings", "déjà vu: 機密です"];

/// Said or named later; the roles by their words in what members keep and show.
const GROUP: [&str; 5] = ["tangerine", "zanzibar", "plotters", "quarter past nine", "an admin"];

#[test]
fn nobody_but_the_two_can_read_it() {
    let (mut relay, alice, bob) = two_with(RelayOptions::proxied());
    relay.proxy().start_capture();
    let mut follower = bob.follow();
    for text in TEXTS {
        alice.send("bob", text, &["--wait", "read", "--timeout", WAIT]).ok();
    }
    printed(&follower, TEXTS[2]);
    // While everything runs: databases, journals and all.
    no_plaintext(&relay.data());
    no_plaintext(relay.record().parent().unwrap());
    clients_keep_it(&[&alice, &bob]);
    private(&relay.data());
    private(&alice.home().join("profiles"));
    private(&bob.home().join("profiles"));
    assert_eq!(follower.terminate(SOON), Some(0));
    say(&bob, &alice, "in return: tangerine");
    hear(&alice, &["in return: tangerine"]);
    // What a group is called, and who may do what in it.
    alice.run(&["group", "create", "zanzibar plotters", "bob", "--json"]).ok();
    alice.run(&["group", "role", "#zanzibar plotters", "bob", "admin"]).ok();
    alice.send("#zanzibar plotters", "meet at quarter past nine", &["--timeout", WAIT]).ok();
    let wire = relay.proxy().captured();
    assert!(wire.len() > 10_000, "the capture holds traffic: {} bytes", wire.len());
    for text in TEXTS.into_iter().chain(GROUP) {
        assert!(!search::contains(&wire, text), "{text:?} crossed the wire");
    }
    relay.stop();
    no_plaintext(relay.record().parent().unwrap());
    clients_keep_it(&[&alice, &bob]);
    for client in [&alice, &bob] {
        for (what, secret) in secrets(client) {
            let holds = |path: &Path| fs::read(path).unwrap().windows(secret.len()).any(|window| window == secret);
            let found: Vec<_> =
                search::files(relay.data().parent().unwrap()).into_iter().filter(|p| holds(p)).collect();
            assert!(found.is_empty(), "the relay has {}'s {what}: {found:?}", client.name());
            assert!(!wire.windows(secret.len()).any(|window| window == secret), "{what} crossed the wire");
        }
        no_words(client);
        private(client.home().join("profiles").as_path());
        assert_eq!(fs::metadata(client.recovery_file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    private(&relay.data());
    // The search finds what is there: names are no secret.
    assert!(!search::files_with(&relay.data(), "alice").is_empty());
    relay.restart();
    finish(relay);
}

#[track_caller]
fn no_plaintext(folder: &Path) {
    assert!(!search::files(folder).is_empty());
    for text in TEXTS.into_iter().chain(GROUP) {
        let found = search::files_with(folder, text);
        assert!(found.is_empty(), "{text:?} is in {found:?}");
    }
}

#[track_caller]
fn clients_keep_it(clients: &[&Client]) {
    clients.iter().for_each(|client| no_plaintext(client.home()));
}

/// What must never leave a client.
fn secrets(client: &Client) -> Vec<(&'static str, Vec<u8>)> {
    let path = client.home().join("profiles/default");
    let key = fs::read(path.join("db.key")).unwrap();
    assert_eq!(key.len(), 48);
    let mut store = Store::open(&ProfileFolder::new(path)).unwrap();
    let profile = store.read::<_, StoreError>(|tx| tx.profile()).unwrap().unwrap();
    vec![("database key", key[..32].to_vec()), ("device seed", profile.seed.to_vec())]
}

/// The recovery words are in their file and nowhere else, and neither is the device's seed in the open.
#[track_caller]
fn no_words(client: &Client) {
    let words = fs::read_to_string(client.recovery_file()).unwrap();
    let words: Vec<&str> = words.split_whitespace().collect();
    assert_eq!(words.len(), 24);
    let three = words[..3].join(" ");
    assert_eq!(search::files_with(client.home(), &three), [client.recovery_file()]);
    let (_, seed) = secrets(client).remove(1);
    for path in search::files(client.home()) {
        assert!(!fs::read(&path).unwrap().windows(32).any(|window| window == seed), "the seed is in {path:?}");
    }
}

/// Folders 0700, everything in them 0600.
#[track_caller]
fn private(folder: &Path) {
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700, "{folder:?}");
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            private(&path);
        } else {
            assert_eq!(mode(&path), 0o600, "{path:?} (socket: {})", kind.is_socket());
        }
    }
}

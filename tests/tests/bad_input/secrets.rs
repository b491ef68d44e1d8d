//! Secrets are in no argument and no output, however talkative the logs are set.

use aside_protocol::invite::Invite;
use aside_tests::{Client, Relay, RelayOptions, Run};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use rusqlite::Connection;
use std::fs;
use std::time::Duration;

/// What nothing may say, of one person: words in order, the key of the database, the invite's secret.
fn secrets_of(client: &Client, link: &str) -> Vec<String> {
    let words = fs::read_to_string(client.recovery_file()).unwrap();
    let words: Vec<&str> = words.split_whitespace().collect();
    let key = fs::read(client.home().join("profiles/default/db.key")).unwrap();
    let secret = Invite::from_link(link).unwrap().secret.0;
    let seed = device_seed(client, &HEXLOWER.encode(&key));
    let mut secrets: Vec<String> = words.windows(2).map(|pair| pair.join(" ")).collect();
    secrets.extend([HEXLOWER.encode(&key), HEXLOWER.encode(&key[..32]), BASE64URL_NOPAD.encode(&key)]);
    secrets.extend([HEXLOWER.encode(&seed), format!("{seed:?}"), format!("{key:?}")]);
    secrets.extend([HEXLOWER.encode(&secret), format!("{secret:?}"), link.to_owned()]);
    secrets
}

/// The secret half of the device's key, out of its database.
fn device_seed(client: &Client, key: &str) -> Vec<u8> {
    let database = Connection::open(client.home().join("profiles/default/history.db")).unwrap();
    database.pragma_update(None, "key", format!("x'{key}'")).unwrap();
    database.query_row("SELECT device_seed FROM profile", [], |row| row.get(0)).unwrap()
}

#[track_caller]
fn holds_none(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "a secret in: {text:.2000}");
    }
}

fn said(run: &Run) -> String {
    format!("{}\n{}", run.stdout, run.stderr)
}

#[test]
fn no_output_and_no_log_holds_a_secret_or_a_text() {
    let options = RelayOptions { env: vec![("ASIDE_RELAY_LOG".into(), "trace".into())], ..RelayOptions::default() };
    let mut relay = Relay::start(options);
    let link = relay.invite(2);
    let (mut alice, mut bob) = (Client::new("alice"), Client::new("bob"));
    let mut outputs = Vec::new();
    for client in [&mut alice, &mut bob] {
        client.set_env("ASIDE_LOG", "trace");
        // The link may be read from standard input, so that it is in no argument either.
        let words = client.recovery_file().to_string_lossy().into_owned();
        let args = ["register", "-", "--name", client.name(), "--json", "--recovery-file", &words];
        outputs.push(client.run_with(&args, link.as_bytes()).ok());
    }
    let text = "a remark for bob alone";
    outputs.push(alice.send("bob", text, &["--wait", "sent"]).ok());
    outputs.push(bob.recv(&["--limit", "1", "--peek"]).ok());
    outputs.push(alice.whoami().ok());
    outputs.push(alice.chats().ok());
    // Failures talk most.
    outputs.push(alice.register(&link).expect_code(1));
    outputs.push(Client::new("carol").register(&link).expect_code(5));
    outputs.push(alice.run(&["register", "aside://join/AAAA", "--name", "dave"]).expect_code(2));
    let everything: String = outputs.iter().map(said).collect();
    let logs: String = outputs.iter().map(|run| run.stderr.as_str()).collect();
    let relay_log = relay.process().log();
    assert!(relay_log.len() > 100 && logs.len() > 10_000, "the logs are on: {}, {}", relay_log.len(), logs.len());
    for client in [&alice, &bob] {
        let secrets = secrets_of(client, &link);
        holds_none(&everything, &secrets);
        holds_none(&relay_log, &secrets);
    }
    assert!(!logs.contains(text) && !relay_log.contains(text), "a text in a log");
    relay.finish();
}

#[test]
fn a_running_command_shows_no_secret_in_its_arguments_and_environment() {
    let relay = Relay::start(RelayOptions::default());
    let link = relay.invite(1);
    let alice = Client::new("alice");
    let words = alice.recovery_file().to_string_lossy().into_owned();
    alice.run_with(&["register", "-", "--name", "alice", "--recovery-file", &words], link.as_bytes()).ok();
    let secrets = secrets_of(&alice, &link);
    let mut following = alice.follow();
    aside_tests::wait_for("it to open the profile", Duration::from_secs(30), || {
        fs::read_to_string(alice.home().join("profiles/default/profile.lock"))
            .is_ok_and(|pid| pid == following.pid().to_string())
    });
    for file in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{}/{file}", following.pid())).unwrap();
        holds_none(&String::from_utf8_lossy(&bytes), &secrets);
    }
    following.kill();
    relay.finish();
}

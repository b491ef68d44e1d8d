//! Registration with an invite that is none, is damaged, over, used up, or leads to the wrong relay; and with a name
//! that cannot be.

use super::said::fails_saying;
use aside_protocol::Hash;
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::login::Mode;
use aside_tests::{Client, Relay, RelayOptions, Run};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;

fn register(link: &str, name: &str) -> Run {
    let client = Client::new(name);
    let run = client.register(link);
    // Words stay only where the same command may complete the registration later.
    let over = matches!(run.code, Some(2 | 5));
    assert!(!over || !client.recovery_file().exists(), "words of an account that never was: {run:?}");
    run
}

fn changed(link: &str, change: impl FnOnce(&mut Invite)) -> String {
    let mut invite = Invite::from_link(link).unwrap();
    change(&mut invite);
    invite.to_link()
}

#[test]
fn a_text_that_is_no_invite_or_a_damaged_one_is_wrong_usage() {
    let relay = Relay::start(RelayOptions::default());
    let link = relay.first_invite();
    let ask_for_one = ["begins with aside://join/", "ask the host"];
    fails_saying(register("https://example.org/join", "alice"), 2, &ask_for_one);
    fails_saying(register("alice", "alice"), 2, &ask_for_one);
    let copy_again = ["damaged", "copy it again"];
    fails_saying(register(&link[..link.len() - 7], "alice"), 2, &copy_again);
    fails_saying(register(&format!("{link}x"), "alice"), 2, &copy_again);
    fails_saying(register("aside://join/", "alice"), 2, &copy_again);
    fails_saying(register(&changed(link, |invite| invite.addresses = vec!["nowhere".into()]), "alice"), 2, &copy_again);
    // From standard input the same.
    let client = Client::new("alice");
    fails_saying(client.run_with(&["register", "-", "--name", "alice"], b"\xff\xfe"), 1, &["standard input", "UTF-8"]);
    fails_saying(client.run_with(&["register", "-", "--name", "alice"], b""), 2, &ask_for_one);
    relay.finish();
}

#[test]
fn invites_that_are_unknown_expired_or_used_up_ask_for_a_new_one() {
    let relay = Relay::start(RelayOptions::default());
    let once = relay.invite(1);
    Client::registered("first", &once);
    fails_saying(register(&once, "second"), 5, &["used up", "ask the relay's host for a new one"]);
    fails_saying(register(&expired(&relay), "third"), 5, &["expired", "ask the relay's host for a new one"]);
    let unknown = changed(&once, |invite| invite.secret = InviteSecret([9; 16]));
    fails_saying(register(&unknown, "fourth"), 3, &["does not know this invite", "ask its host for a new one"]);
    // None of these names is taken now.
    let many = relay.invite(3);
    ["second", "third", "fourth"].iter().for_each(|name| drop(Client::registered(name, &many)));
    relay.finish();
}

/// An invite that is over as it is made; the command line makes none shorter than a minute.
fn expired(relay: &Relay) -> String {
    let mut socket = UnixStream::connect(relay.data().join("admin.sock")).unwrap();
    socket.write_all(b"{\"command\":\"invite\",\"uses\":5,\"expires_ms\":0}\n").unwrap();
    let mut line = String::new();
    BufReader::new(socket).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    told["invite"].as_str().unwrap_or_else(|| panic!("no invite in {line}")).to_owned()
}

#[test]
fn a_name_that_is_taken_or_ill_formed_asks_for_another() {
    let relay = Relay::start(RelayOptions::default());
    Client::registered("alice", relay.first_invite());
    fails_saying(register(relay.first_invite(), "alice"), 3, &["that name is taken", "choose another"]);
    for name in ["al", "Alice", ".alice", "a b c", "älice", "a/b", &"a".repeat(33), ""] {
        fails_saying(
            register(relay.first_invite(), name),
            2,
            &["3 to 32 characters", "begins with a letter or a digit"],
        );
    }
    // A refused registration used nothing up: the invite was good for five, and is for the rest of them.
    ["bob", "carol", "dave", "erin"].iter().for_each(|name| drop(Client::registered(name, relay.first_invite())));
    fails_saying(register(relay.first_invite(), "frank"), 5, &["used up"]);
    relay.finish();
}

#[test]
fn after_a_refusal_the_same_profile_registers_under_another_name() {
    let relay = Relay::start(RelayOptions::default());
    Client::registered("alice", relay.first_invite());
    let client = Client::new("alice");
    fails_saying(client.register(relay.first_invite()), 3, &["taken"]);
    let words = client.recovery_file();
    let again = ["register", relay.first_invite(), "--name", "alice2", "--recovery-file", &words.to_string_lossy()];
    client.run(&again).ok();
    assert_eq!(client.whoami().ok().one()["name"], "alice2");
    // And once registered, it says as whom.
    let third = ["register", relay.first_invite(), "--name", "alice3"];
    fails_saying(client.run(&third), 1, &["already registered, as alice2", "-P"]);
    relay.finish();
}

#[test]
fn a_relay_that_is_not_the_invites_is_not_trusted() {
    let mut relay = Relay::start(RelayOptions::default());
    let wrong = changed(relay.first_invite(), |invite| invite.pin = Hash([7; 32]));
    fails_saying(register(&wrong, "alice"), 4, &["not the one your invite names", "ask its host for a new invite"]);
    // Another relay at the address of one that is known: sending stops there too.
    let alice = Client::registered("alice", relay.first_invite());
    Client::registered("bob", relay.first_invite());
    alice.send("bob", "one", &[]).ok();
    relay.kill();
    std::fs::remove_file(relay.data().join("identity.key")).unwrap();
    relay.restart();
    fails_saying(alice.send("bob", "two", &["--timeout", "20s"]), 4, &["not the one your invite names"]);
    fails_saying(alice.recv(&["--timeout", "20s"]), 4, &["not the one your invite names"]);
    relay.finish();
}

#[test]
fn a_relay_that_cannot_be_reached_says_where_it_was_looked_for() {
    let relay = Relay::start(RelayOptions::default());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let nobody = changed(relay.first_invite(), |invite| invite.addresses = vec![closed.clone()]);
    fails_saying(register(&nobody, "alice"), 3, &["cannot reach the relay", &closed, "Check your connection"]);
    let nowhere = changed(relay.first_invite(), |invite| invite.addresses = vec!["nowhere.invalid:7443".into()]);
    fails_saying(register(&nowhere, "alice"), 3, &["cannot reach the relay", "nowhere.invalid:7443"]);
    let proxied = changed(relay.first_invite(), |invite| invite.mode = Mode::Proxied);
    fails_saying(register(&proxied, "alice"), 3, &["behind a proxy", "ask its host for a direct address"]);
    // Of two addresses one suffices.
    let here = relay.address().to_string();
    let either = changed(relay.first_invite(), |invite| invite.addresses = vec![closed, here]);
    Client::registered("alice", &either);
    relay.finish();
}

#[test]
fn a_port_where_something_else_answers_is_said_not_to_be_a_relay() {
    let relay = Relay::start(RelayOptions::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let greeter = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
    });
    let other = changed(relay.first_invite(), |invite| invite.addresses = vec![address.clone()]);
    fails_saying(register(&other, "alice"), 3, &[&address, "is not an aside relay", "Check the address"]);
    greeter.join().unwrap();
    relay.finish();
}

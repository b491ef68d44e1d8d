//! Letting another machine in: all goes well, a wrong code, a no, a kill in between.

use super::common::*;
use aside_protocol::linking::{LinkCode, LinkSecret};
use aside_tests::{Client, Terminal, wait_some};

/// Wide enough for a code on one line.
const SIZE: (u16, u16) = (600, 100);

/// `device add` at a terminal, and its code.
fn at_terminal(host: &Client) -> (Terminal, String) {
    let terminal = Terminal::start(host, &["device", "add", "--json"], SIZE.0, SIZE.1);
    let screen = terminal.wait_for("aside://link/");
    let code = screen.split('"').find(|part| part.starts_with("aside://link/")).unwrap().to_owned();
    (terminal, code)
}

#[test]
fn both_devices_get_and_send_from_then_on() {
    let (relay, alice, bob) = acquainted();
    let laptop = linked(&alice, "laptop");
    bob.send("alice", "to both", &["--timeout", "60s"]).ok();
    assert_eq!(texts(&follow(&alice, 1)), ["to both"]);
    assert_eq!(texts(&follow(&laptop, 1)), ["to both"]);
    laptop.send("bob", "from the laptop", &["--timeout", "60s"]).ok();
    let got = follow(&bob, 1);
    assert_eq!((texts(&got), &got[0]["from"]), (vec!["from the laptop".to_owned()], &"alice".into()));
    // What one device sends the other one shows as its own.
    history(&alice, "bob", &["before", "to both", "from the laptop"]);
    alice.send("bob", "from the desk", &["--timeout", "60s"]).ok();
    history(&laptop, "bob", &["before", "to both", "from the laptop", "from the desk"]);
    let listed = alice.run(&["device", "list", "--json"]).ok().json();
    let machines: Vec<_> = listed.iter().map(|own| own["machine"].as_str().unwrap_or("")).collect();
    assert_eq!((listed.len(), machines[1], &listed[0]["this"]), (2, "laptop", &true.into()));
    assert_eq!(listed[1]["device"], device_id(&laptop));
    relay.finish();
}

#[test]
fn a_chat_muted_on_one_device_is_muted_on_the_other() {
    let (relay, alice, _bob) = acquainted();
    let laptop = linked(&alice, "laptop");
    let muted_until = |client: &Client| {
        let listed = client.chats().ok().json();
        listed.iter().find(|chat| chat["name"] == "bob").and_then(|chat| chat["muted_until"].as_u64())
    };
    let until = |wanted: &dyn Fn(u64) -> bool| {
        wait_some("the other device's mute", SOON, || {
            laptop.recv(&["--timeout", "1s"]);
            muted_until(&laptop).filter(|&time| wanted(time))
        });
    };
    alice.run(&["mute", "nobody"]).expect_code(1);
    let muted = alice.run(&["mute", "bob", "--for", "8h", "--json"]).ok().one();
    assert_eq!((muted["chat"].as_str(), muted["until"].as_u64()), (Some("bob"), muted_until(&alice)));
    until(&|time| Some(time) == muted["until"].as_u64());
    assert!(laptop.run(&["chats"]).ok().stdout.contains("[muted]"));
    alice.run(&["mute", "bob", "--off"]).ok();
    until(&|time| time == 0);
    relay.finish();
}

#[test]
fn a_wrong_code_gets_nobody_in_and_spoils_nothing() {
    let (relay, alice, _) = acquainted();
    let (mut adding, code) = offer(&alice);
    let right = LinkCode::from_link(&code).unwrap();
    let wrong = LinkCode { secret: LinkSecret([7; 32]), ..right.clone() }.to_link();
    let stranger = Client::new("stranger");
    let refused = stranger.run_with(&["device", "link"], wrong.as_bytes()).expect_code(4);
    assert!(refused.stderr.contains("does not know this code"), "{}", refused.stderr);
    stranger.whoami().expect_code(1);
    // The host still waits for who knows it, and the meeting is free again.
    let laptop = Client::new("alice");
    laptop.run_with(&["device", "link"], code.as_bytes()).ok();
    assert_eq!(adding.wait(SOON), Some(0), "{}", adding.log());
    // Afterwards the code is worth nothing.
    let late = Client::new("alice").run_with(&["device", "link"], code.as_bytes()).expect_code(3);
    assert!(late.stderr.contains("no device waits"), "{}", late.stderr);
    for nonsense in ["aside://link/AAAA", "hello", ""] {
        Client::new("alice").run_with(&["device", "link"], nonsense.as_bytes()).expect_code(2);
    }
    let taken = alice.run_with(&["device", "link"], code.as_bytes()).expect_code(1);
    assert!(taken.stderr.contains("belongs to alice"), "{}", taken.stderr);
    assert_eq!(alice.run(&["device", "list", "--json"]).ok().json().len(), 2);
    relay.finish();
}

#[test]
fn a_no_is_a_no_for_both() {
    let (relay, alice, _) = acquainted();
    let (terminal, code) = at_terminal(&alice);
    let laptop = Client::new("alice");
    let mut linking = link(&laptop, &code);
    let screen = terminal.wait_for("[y/N]");
    assert!(screen.contains("fingerprint"), "{screen}");
    terminal.enter("");
    assert_eq!(linking.wait(SOON), Some(1), "{}", linking.log());
    assert!(linking.log().contains("said no"), "{}", linking.log());
    terminal.wait_for("not let in");
    drop(terminal);
    assert_eq!(alice.run(&["device", "list", "--json"]).ok().json().len(), 1);
    laptop.whoami().expect_code(1);
    relay.finish();
}

#[test]
fn a_device_killed_while_it_was_let_in_goes_on_without_the_host() {
    let (relay, alice, bob) = acquainted();
    let (terminal, code) = at_terminal(&alice);
    let laptop = Client::new("alice");
    let mut linking = link(&laptop, &code);
    terminal.wait_for("[y/N]");
    linking.kill();
    terminal.enter("y");
    terminal.wait_for("[all]");
    terminal.enter("everything");
    terminal.wait_for("Please answer");
    terminal.enter("none");
    terminal.wait_for("device_added");
    drop(terminal);
    laptop.run_with(&["device", "link"], code.as_bytes()).ok();
    bob.send("alice", "after all", &["--timeout", "60s"]).ok();
    follow(&alice, 1);
    let listed = alice.run(&["device", "list", "--json"]).ok().json();
    assert_eq!(listed[1]["device"], device_id(&laptop));
    relay.finish();
}

#[test]
fn without_a_terminal_nobody_is_let_in_unasked() {
    let (relay, alice, _) = acquainted();
    let refused = alice.run(&["device", "add"]).expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    relay.finish();
}

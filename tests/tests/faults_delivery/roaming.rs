//! A device that changes its network keeps its session. Needs network namespaces, and so root on Linux; says so and
//! does nothing elsewhere.

use super::common::*;
use aside_tests::{Background, Client, binaries, wait_for, wait_some};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Where the relay is, whichever way leads there.
const RELAY: &str = "10.77.0.1";

/// Two hosts with two links between them: the people's and the relay's.
struct Hosts {
    people: String,
    relay: String,
}

impl Hosts {
    /// `None` where there are no network namespaces to be had. Where there are, all the rest has to work.
    fn start() -> Option<Self> {
        let name = |what: &str| format!("aside-{what}-{}", std::process::id());
        let hosts = Self { people: name("p"), relay: name("r") };
        let (people, relay) = (hosts.people.as_str(), hosts.relay.as_str());
        if !try_ip(&["netns", "add", people]) {
            return None;
        }
        ip(&["netns", "add", relay]);
        ["1", "2"].iter().for_each(|link| hosts.link(link));
        [people, relay].iter().for_each(|host| ip(&["-n", host, "link", "set", "lo", "up"]));
        ip(&["-n", relay, "addr", "add", RELAY, "dev", "lo"]);
        hosts.route("1");
        Some(hosts)
    }

    fn link(&self, number: &str) {
        let (ours, theirs) = (format!("a{number}"), format!("b{number}"));
        let (people, relay) = (self.people.as_str(), self.relay.as_str());
        let address = |end: u8| format!("10.77.{number}.{end}/24");
        ip(&["-n", people, "link", "add", &ours, "type", "veth", "peer", "name", &theirs, "netns", relay]);
        ip(&["-n", people, "addr", "add", &address(1), "dev", &ours]);
        ip(&["-n", relay, "addr", "add", &address(2), "dev", &theirs]);
        ip(&["-n", people, "link", "set", &ours, "up"]);
        ip(&["-n", relay, "link", "set", &theirs, "up"]);
    }

    /// The way to the relay leads over this link.
    fn route(&self, number: &str) {
        ip(&["-n", &self.people, "route", "replace", RELAY, "via", &format!("10.77.{number}.2")]);
    }

    /// The people's host loses the first link; the second one is all it has.
    fn roam(&self) {
        ip(&["-n", &self.people, "link", "set", "a1", "down"]);
        self.route("2");
    }

    /// The same command, on one of the hosts.
    fn inside(host: &str, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", host]).arg(command.get_program()).args(command.get_args());
        inside.envs(command.get_envs().filter_map(|(key, value)| value.map(|value| (key, value))));
        inside
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // The second may never have been made.
        try_ip(&["netns", "del", &self.people]);
        try_ip(&["netns", "del", &self.relay]);
    }
}

fn ip(args: &[&str]) {
    let run = Command::new("ip").args(args).output().unwrap();
    assert!(run.status.success(), "ip {}: {}", args.join(" "), String::from_utf8_lossy(&run.stderr));
}

fn try_ip(args: &[&str]) -> bool {
    let run = Command::new("ip").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

/// A relay on its host; its process and its invite.
fn relay(hosts: &Hosts, folder: &TempDir) -> (Background, String) {
    let mut command = Command::new(binaries::aside_relay());
    command.args(["serve", "--json", "--listen", "0.0.0.0:7443", "--address", &format!("{RELAY}:7443"), "--data"]);
    command.arg(folder.path());
    let process = Background::start(&mut Hosts::inside(&hosts.relay, &command));
    let line = wait_some("the relay to listen", LONG, || process.lines().first().cloned());
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    (process, said["invite"].as_str().unwrap().to_owned())
}

fn person(hosts: &Hosts, name: &str, invite: &str) -> Client {
    let mut client = Client::new(name);
    client.set_env("ASIDE_LOG", "aside_transport=debug");
    client.set_env("NO_COLOR", "1");
    client.set_env("ASIDE_TRANSPORT", "quic");
    let words = client.recovery_file();
    let register = client.command(&["register", invite, "--name", name, "--recovery-file", &words.to_string_lossy()]);
    let code = Background::start(&mut Hosts::inside(&hosts.people, &register)).wait(LONG);
    assert_eq!(code, Some(0));
    client
}

#[test]
fn a_change_of_network_keeps_the_session() {
    let Some(hosts) = Hosts::start() else {
        eprintln!("skipped: network namespaces need root and the ip command");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (mut relay, invite) = relay(&hosts, &folder);
    let (alice, bob) = (person(&hosts, "alice", &invite), person(&hosts, "bob", &invite));
    let talk = |client: &Client, with| {
        Background::interactive(&mut Hosts::inside(&hosts.people, &client.command(&["talk", with])))
    };
    let (mut from_alice, mut from_bob) = (talk(&alice, "bob"), talk(&bob, "alice"));
    let (alice_says, bob_says) = (texts("alice", 0..40), texts("bob", 0..40));
    from_alice.say(&alice_says[..20]);
    wait_heard(&from_bob, "alice", 20);
    from_bob.say(&bob_says[..20]);
    wait_heard(&from_alice, "bob", 20);
    hosts.roam();
    from_alice.say(&alice_says[20..]);
    from_bob.say(&bob_says[20..]);
    wait_heard(&from_bob, "alice", 40);
    wait_heard(&from_alice, "bob", 40);
    for client in [&from_alice, &from_bob] {
        wait_for("the move to be noticed", LONG, || client.log().contains("moves along"));
        let logins = client.log().lines().filter(|line| line.contains("connected")).count();
        assert_eq!(logins, 1, "no new login:\n{}", client.log());
    }
    assert_texts("what bob's talk printed", &heard(&from_bob, "alice"), &alice_says);
    assert_texts("what alice's talk printed", &heard(&from_alice, "bob"), &bob_says);
    leave(from_alice);
    leave(from_bob);
    assert_eq!(relay.terminate(LONG), Some(0));
}

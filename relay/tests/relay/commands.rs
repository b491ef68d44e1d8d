//! The program as people run it: output, exit codes, one relay a folder.

use crate::client::{Transport, Unauthenticated};
use crate::logs;
use crate::over_each;
use crate::people::Person;
use aside_protocol::invite::Invite;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub fn program(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aside-relay"));
    command.args(arguments).arg("--data").arg(data).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub struct Process(Child);

impl Process {
    /// Serves on any port; returns the invite and the address once it listens.
    fn serve(data: &Path) -> (Self, Invite, String) {
        Self::start(program(&["serve", "--listen", "127.0.0.1:0", "--json"], data).args(logs::arguments(data)))
    }

    /// The same with other arguments.
    pub fn start(command: &mut Command) -> (Self, Invite, String) {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        let invite = Invite::from_link(object["invite"].as_str().unwrap()).unwrap();
        (Self(child), invite, object["listen"].as_str().unwrap().to_owned())
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Ends it in order; its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.0.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn one_line(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim().to_owned()
}

async fn it_serves_invites_and_ends_on_a_signal(via: Transport) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (mut relay, invite, listen) = Process::serve(&data);
    assert_eq!(invite.addresses, [listen]);
    Unauthenticated::connect(&invite, via).await.register(&Person::new("alice"), invite.secret).await;
    let made = program(&["invite", "--uses", "2", "--expires", "12h"], &data).output().unwrap();
    let second = Invite::from_link(&one_line(&made)).unwrap();
    assert_eq!((second.pin, &second.addresses), (invite.pin, &invite.addresses));
    Unauthenticated::connect(&second, via).await.register(&Person::new("bob"), second.secret).await;

    let rival = program(&["serve", "--listen", "127.0.0.1:0"], &data).output().unwrap();
    assert_eq!(rival.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&rival.stderr).contains("another relay is using the data folder"));

    assert_eq!(relay.terminate(), Some(0));
}

async fn an_invite_made_while_no_relay_runs_is_good_when_one_does(via: Transport) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = program(&["invite"], &data).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    let mut invite = Invite::from_link(&one_line(&made)).unwrap();
    let (_relay, running, listen) = Process::serve(&data);
    assert_eq!(invite.pin, running.pin);
    invite.addresses = vec![listen];
    Unauthenticated::connect(&invite, via).await.register(&Person::new("alice"), invite.secret).await;
}

async fn a_killed_relay_has_kept_what_it_answered(via: Transport) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let alice = Person::new("alice");
    let (relay, invite, _) = Process::serve(&data);
    Unauthenticated::connect(&invite, via).await.register(&alice, invite.secret).await;
    relay.signal("-KILL");
    drop(relay);
    let (_relay, invite, _) = Process::serve(&data);
    let back = Unauthenticated::connect(&invite, via).await.login(&alice).await;
    assert_eq!(back.welcome.account, alice.account());
}

#[test]
fn mistakes_are_told_in_one_sentence_with_the_right_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken_udp = udp.local_addr().unwrap().to_string();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("relay.db"), "this is no database, only text that is long enough".repeat(99)).unwrap();
    let cases: [(&[&str], &Path, i32); 8] = [
        (&["serve", "--listen", &taken], &data, 3),
        (&["serve", "--listen", &taken_udp], &data, 3),
        (&["serve", "--listen", "nonsense"], &data, 2),
        (&["serve", "--listen", "127.0.0.1:0", "--address", "no port"], &data, 2),
        (&["invite", "--expires", "never"], &data, 2),
        (&["invite", "--uses", "0"], &data, 2),
        (&["serve", "--listen", "127.0.0.1:0"], &file, 1),
        (&["serve", "--listen", "127.0.0.1:0"], &foreign, 1),
    ];
    for (arguments, data, code) in cases {
        let output = program(arguments, data).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty() && !said.is_empty());
        assert_eq!(said.contains("UDP"), arguments.contains(&&*taken_udp), "{said}");
    }
}

over_each!(
    it_serves_invites_and_ends_on_a_signal,
    an_invite_made_while_no_relay_runs_is_good_when_one_does,
    a_killed_relay_has_kept_what_it_answered,
);

//! The relay's disk is full: a clear refusal, nothing corrupted, everything delivered once there is room.

use super::common::*;
use aside_tests::{RelayOptions, binaries, limited, process, wait_for};
use std::process::Command;
use std::time::Duration;

/// 256 KiB: enough to start, not for what follows.
const LITTLE: u64 = 512;

#[test]
fn what_cannot_be_stored_is_not_lost() {
    let (mut relay, alice, bob) = two_with(RelayOptions::default());
    acquaint(&alice, &bob);
    relay.stop();
    relay.set_file_blocks(Some(LITTLE));
    relay.restart();
    let mut sent = vec!["hello from alice".to_owned()];
    let mut refused = 0;
    for n in 0..20 {
        let text = format!("{n} {}", "x".repeat(30_000));
        let run = alice.send("bob", &text, &["--timeout", if refused == 0 { "10s" } else { "500ms" }]);
        match run.code {
            Some(0) => assert_eq!(refused, 0, "order is kept: nothing passes what waits"),
            _ => {
                let run = fails_with(run, 6, "stays in the outbox");
                assert!(run.stderr.contains("disk"), "it says why: {run:#?}");
                refused += 1;
            }
        }
        sent.push(text);
        if refused == 2 {
            break;
        }
    }
    assert_eq!(refused, 2, "the disk filled up");
    let log = |relay: &mut aside_tests::Relay| relay.process().log();
    wait_for("the relay to say so", SOON, || log(&mut relay).contains("nothing can be stored"));
    assert!(relay.process().is_running(), "{}", log(&mut relay));
    // What it has, it still gives.
    let got = texts_of(&bob.recv(&["--timeout", "10s"]).ok().json());
    assert_eq!(got[..], sent[1..=got.len()]);
    assert_eq!(got.len(), sent.len() - 3, "all that were confirmed, and no other");
    relay.kill();
    relay.set_file_blocks(None);
    relay.restart();
    say(&alice, &bob, "room again");
    sent.push("room again".into());
    let rest = texts_of(&bob.recv(&["--timeout", WAIT]).ok().json());
    assert_eq!(rest[..], sent[got.len() + 1..]);
    let (own, theirs) = (history(&alice, "bob"), history(&bob, "alice"));
    assert_eq!(told(&own, true), sent);
    assert_eq!(told(&theirs, false), sent);
    in_order(&own);
    in_order(&theirs);
    deliver(&bob, &alice, "and back");
    finish(relay);
}

#[test]
fn a_relay_that_cannot_write_at_all_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(binaries::aside_relay());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
    let run = process::run(&mut limited(&command, 0), b"", Duration::from_secs(30));
    let run = run.expect_code(1);
    assert!(run.stderr.lines().count() == 1 && !run.stderr.contains("panicked"), "{run:#?}");
    assert!(run.stdout.is_empty(), "{run:#?}");
    // With room it starts on what the failure left.
    let mut relay = aside_tests::Background::start(&mut command);
    relay.wait_lines(1, SOON);
    assert_eq!(relay.terminate(SOON), Some(0), "{}", relay.log());
}

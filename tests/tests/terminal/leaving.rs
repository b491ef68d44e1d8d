//! However the program ends or stops, the terminal is the user's again.

use super::common::*;
use aside_tests::{Client, Key, Terminal};
use std::process::Command;

#[test]
fn quit_is_a_command() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut left = chatting(&alice, "bob");
    left.enter(":quit");
    assert!(left.wait_exit().success());
    assert!(left.is_restored());
    assert_eq!(texts(&alice, "bob").len(), 2, "nobody was told");
    finish(relay);
}

#[test]
fn one_ctrl_c_only_asks() {
    let (relay, alice, _) = two();
    let mut left = online(&alice);
    left.key(Key::Ctrl('c'));
    left.wait_for("once more leaves");
    left.wait_gone("once more leaves");
    assert!(left.is_running());
    quit(left);
    finish(relay);
}

#[test]
fn signals_end_it_in_order() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    for signal in ["TERM", "HUP", "INT"] {
        let mut left = chatting(&alice, "bob");
        left.signal(signal);
        left.wait_exit();
        assert!(left.is_restored(), "after {signal}: {}", left.screen());
    }
    finish(relay);
}

/// The program under a shell with job control, as it is used.
fn in_shell(client: &Client) -> Terminal {
    let aside = client.command(&[]);
    let script = format!(
        "set -m; '{}'; echo \"stopped with $?\"; read -r _; fg >/dev/null; echo \"ended with $?\"",
        aside.get_program().to_string_lossy()
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]);
    for (key, value) in aside.get_envs() {
        shell.env(key, value.unwrap_or_default());
    }
    Terminal::run(client.name(), &shell, SIZE.0, SIZE.1)
}

#[test]
fn ctrl_z_goes_to_the_shell_and_fg_comes_back() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let mut left = in_shell(&alice);
    left.wait_for("online");
    chat(&left, "bob");
    let before = writing(&left, "unfinished");
    left.key(Key::Ctrl('z'));
    left.wait_for("stopped with 148");
    assert!(left.is_restored(), "the shell gets the terminal as it was");
    left.enter("");
    left.wait_until("the screen as it was", |screen| screen == before);
    left.key(Key::Ctrl('u'));
    left.enter(":quit");
    left.wait_for("ended with 0");
    left.wait_exit();
    assert!(left.is_restored());
    finish(relay);
}

#[test]
fn a_stop_from_outside_does_no_harm() {
    let (relay, alice, bob) = two();
    acquaint(&alice, &bob);
    let left = in_shell(&alice);
    left.wait_for("online");
    chat(&left, "bob");
    let before = wait_tick(&left, "Hello bob", "✓✓•");
    // It cannot be caught; the shell mends the terminal as far as it can.
    left.signal_foreground("STOP");
    left.wait_for("stopped with 147");
    // Nobody has told the terminal to take Enter for the end of a line.
    left.press("\n");
    left.wait_until("the screen as it was", |screen| screen == before);
    left.enter("Still here.");
    wait_tick(&left, "Still here.", "✓");
    finish(relay);
}

#[test]
fn without_a_terminal_it_says_so() {
    let client = Client::new("alice");
    let run = client.run(&[]).expect_code(2);
    assert!(run.stderr.contains("terminal"), "{run:#?}");
}

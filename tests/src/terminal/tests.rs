//! The harness in front of small shell programs: keys, paste, size, signals, exit, and the bytes themselves.

use super::{Key, Terminal};
use std::process::Command;

fn shell(script: &str) -> Terminal {
    let mut command = Command::new("bash");
    command.args(["-c", script]);
    Terminal::run("shell", &command, 20, 4)
}

#[test]
fn what_is_typed_arrives_and_what_is_written_is_seen() {
    let mut terminal = shell("read -r line; echo \"<$line>\"; exit 3");
    terminal.enter("hello");
    terminal.wait_for("<hello>");
    assert_eq!(terminal.wait_exit().exit_code(), 3);
    assert_eq!(terminal.screen(), "hello\n<hello>\n\n");
    assert!(terminal.raw().ends_with(b"<hello>\r\n"));
}

#[test]
fn keys_are_the_bytes_of_xterm() {
    let terminal = shell("stty raw -echo; echo ready; dd bs=1 count=13 2>/dev/null | od -An -tx1; cat");
    terminal.wait_for("ready");
    [Key::Alt('a'), Key::Ctrl('c'), Key::PageUp, Key::AltUp].into_iter().for_each(|key| terminal.key(key));
    terminal.wait_until("their bytes", |screen| {
        let bytes: String = screen.split_whitespace().collect();
        bytes.contains("1b61031b5b357e1b5b313b33")
    });
}

#[test]
fn a_paste_is_in_brackets_when_they_are_wanted() {
    let terminal = shell("stty -echo; printf '\\033[?2004h'; echo ready; IFS= read -r l; printf %s \"$l\" | od -An -c");
    terminal.wait_for("ready");
    terminal.paste("a\n");
    terminal.wait_until("the brackets", |screen| screen.split_whitespace().any(|word| word == "200~" || word == "2"));
    terminal.wait_for("033");
}

#[test]
fn much_input_that_nobody_reads_stops_nothing() {
    let mut terminal = shell("echo ready; read -r _; sleep 600");
    terminal.wait_for("ready");
    terminal.paste(&"x".repeat(1 << 20));
    assert!(terminal.is_running());
    terminal.kill();
    assert!(!terminal.is_running());
}

#[test]
fn a_program_hears_of_another_size() {
    let terminal = shell("trap 'stty size' WINCH; echo ready; while :; do read -r -t 1 _; done");
    terminal.wait_for("ready");
    terminal.resize(30, 7);
    terminal.wait_for("7 30");
}

#[test]
fn questions_are_answered_as_terminals_do() {
    let terminal = shell("stty raw -echo; printf 'ab\\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c");
    terminal.wait_for("3   R");
}

#[test]
fn what_a_program_leaves_behind_is_noticed() {
    let terminal = shell(
        "echo a; read -r _; printf '\\033[?1049h\\033[?1004h\\a'; echo b; read -r _; printf '\\033[?1049l'; echo c; read -r _",
    );
    terminal.wait_for("a");
    assert!(terminal.is_restored() && terminal.alarms().is_empty());
    terminal.enter("");
    terminal.wait_for("b");
    assert!(!terminal.is_restored());
    assert_eq!(terminal.alarms(), ["bell: "]);
    terminal.enter("");
    terminal.wait_for("c");
    assert!(!terminal.is_restored(), "the focus is still reported");
}

#[test]
fn signals_reach_the_program() {
    let mut terminal = shell("trap 'echo gone; exit 7' TERM; echo ready; while :; do read -r -t 1 _; done");
    terminal.wait_for("ready");
    terminal.signal("TERM");
    assert_eq!(terminal.wait_exit().exit_code(), 7);
    assert!(terminal.screen().contains("gone"));
}

#[test]
fn a_shell_in_it_has_job_control() {
    let terminal = shell("set -m; cat; echo \"code $?\"; read -r _; fg >/dev/null; echo \"code $?\"");
    terminal.enter("cat is there");
    terminal.wait_until("the echo", |screen| screen.matches("cat is there").count() == 2);
    terminal.signal_foreground("TSTP");
    terminal.wait_for("code 148");
    terminal.resize(20, 10);
    terminal.enter("");
    terminal.enter("again");
    terminal.wait_until("the echo", |screen| screen.matches("again").count() == 2);
    terminal.key(Key::Ctrl('d'));
    terminal.wait_for("code 0");
}

#[test]
#[should_panic(expected = "the program has ended")]
fn a_screen_that_never_comes_fails_with_what_there_is() {
    shell("echo something else").wait_for("this");
}

//! Exit codes, timeouts, output and signals, with the shell as the program.

use super::{Background, run};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_run_keeps_code_and_output() {
    let run = run(&mut shell("cat; echo oops >&2; exit 3"), b"{\"v\":1}\n", PATIENCE).expect_code(3);
    assert_eq!(run.one()["v"], 1);
    assert_eq!(run.stderr, "oops\n");
}

#[test]
fn a_program_that_ignores_much_input_is_no_problem() {
    run(&mut shell("exec true"), &vec![b'x'; 1 << 20], PATIENCE).ok();
}

#[test]
fn a_run_that_hangs_is_killed() {
    let run = run(&mut shell("echo begun; exec sleep 600"), b"", Duration::from_millis(300));
    assert!(run.timed_out);
    assert_eq!((run.code, run.stdout.as_str()), (None, "begun\n"));
}

#[test]
#[should_panic(expected = "expected exit code 0")]
fn an_unexpected_code_is_noticed() {
    run(&mut shell("exit 1"), b"", PATIENCE).ok();
}

#[test]
fn a_background_program_is_heard_while_it_runs_and_after_it_is_killed() {
    let mut background = Background::start(&mut shell("echo one; echo two; exec sleep 600"));
    assert_eq!(background.wait_lines(2, PATIENCE), ["one", "two"]);
    assert!(background.is_running());
    background.kill();
    assert!(!background.is_running());
    assert_eq!(background.lines().len(), 2);
}

#[test]
fn a_background_program_can_be_asked_to_end() {
    let mut background = Background::start(&mut shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"));
    background.wait_lines(1, PATIENCE);
    assert_eq!(background.terminate(PATIENCE), Some(7));
}

#[test]
fn a_background_program_is_told_lines_until_its_input_ends() {
    let mut background = Background::interactive(&mut shell("cat; echo over"));
    background.say(["one", "two"]);
    assert_eq!(background.wait_lines(2, PATIENCE), ["one", "two"]);
    background.say(["three"]);
    background.hush();
    background.say(["nobody hears this"]);
    assert_eq!(background.wait(PATIENCE), Some(0));
    assert_eq!(background.lines(), ["one", "two", "three", "over"]);
}

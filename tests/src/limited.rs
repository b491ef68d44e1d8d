//! A full disk without a full disk: a process whose files may not grow beyond a size. Needs `sh`, and `prlimit` to make room
//! while the process runs; no rights.

use crate::process::Background;
use std::process::Command;

/// The same program, arguments and environment, with files of at most `blocks` × 512 bytes; a write beyond fails with
/// `EFBIG`, as one on a full disk fails with `ENOSPC`.
pub fn limited(command: &Command, blocks: u64) -> Command {
    under(command, &format!("ulimit -f {blocks}"))
}

/// The same, but [`lift`] can take the limit away.
pub fn softly(command: &Command, blocks: u64) -> Command {
    under(command, &format!("ulimit -S -f {blocks}"))
}

/// Takes the limit of [`softly`] away while the process runs.
pub fn lift(process: &Background) {
    let pid = process.pid().to_string();
    let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(lifted.expect("prlimit starts").success(), "the limit of {pid} stays");
}

fn under(command: &Command, limit: &str) -> Command {
    let mut shell = Command::new("sh");
    // The signal must be ignored, or it kills the process before the write fails.
    shell.arg("-c").arg(format!("trap '' XFSZ; {limit}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    shell
}

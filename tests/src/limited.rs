//! A full disk without a full disk: a process whose files may not grow beyond a size. Needs `sh`, no rights.

use std::process::Command;

/// The same program, arguments and environment, with files of at most `blocks` × 512 bytes; a write beyond fails with
/// `EFBIG`, as one on a full disk fails with `ENOSPC`.
pub fn limited(command: &Command, blocks: u64) -> Command {
    let mut shell = Command::new("sh");
    // The signal must be ignored, or it kills the process before the write fails.
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    shell
}

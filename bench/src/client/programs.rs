//! `aside` as a process, at home in a folder.

use crate::error::BenchError;
use crate::processes::program;
use aside_store::ProfileFolder;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Somebody's home, with one profile.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    aside: PathBuf,
    folder: PathBuf,
}

impl Home {
    /// A folder that need not exist yet.
    pub fn new(folder: PathBuf) -> Result<Self, BenchError> {
        Ok(Self { aside: program("aside")?, folder })
    }

    /// `aside`, at home here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.aside);
        command.args(arguments).env_clear().env("ASIDE_HOME", &self.folder);
        command
    }

    /// Runs `aside` to its end and returns what it printed.
    pub fn aside(&self, arguments: &[&str]) -> Result<String, BenchError> {
        output(&mut self.command(arguments), "")
    }

    /// Registers; the invite goes in through standard input.
    pub fn register(&self, invite: &str, name: &str) -> Result<(), BenchError> {
        std::fs::create_dir_all(&self.folder)?;
        // In the profile's own folder the words would be shown first, before any chat.
        let words = self.folder.join("words.txt");
        let arguments = ["register", "-", "--name", name, "--recovery-file", &words.to_string_lossy(), "--json"];
        output(&mut self.command(&arguments), invite).map(drop)
    }

    /// The profile's folder.
    pub fn profile(&self) -> ProfileFolder {
        ProfileFolder::new(self.folder.join("profiles").join("default"))
    }

    /// Bytes of the database.
    pub fn database_bytes(&self) -> Result<u64, BenchError> {
        Ok(std::fs::metadata(self.profile().database())?.len())
    }
}

fn output(command: &mut Command, stdin: &str) -> Result<String, BenchError> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(stdin.as_bytes())?;
    }
    let done = child.wait_with_output()?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(BenchError::Failed(format!("{} failed: {}", command.get_program().display(), said.trim())))
}

/// The last line of a program's output, as JSON.
pub(crate) fn last_json(text: &str) -> Result<Value, BenchError> {
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|e| BenchError::Failed(format!("not JSON ({e}): {line}")))
}

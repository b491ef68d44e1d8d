//! The programs that are measured, each as its own process.

use super::BenchError;
use aside_store::ProfileFolder;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where the programs lie.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    aside: PathBuf,
    relay: PathBuf,
}

impl Programs {
    /// Those beside this executable; nothing is built here.
    pub fn beside_this_one() -> Result<Self, BenchError> {
        let own = std::env::current_exe()?;
        let find = |name: &str| {
            let program = own.with_file_name(name);
            if program.is_file() { Ok(program) } else { Err(BenchError::Missing { program }) }
        };
        Ok(Self { aside: find("aside")?, relay: find("aside-relay")? })
    }
}

/// A running relay; killed if it is not stopped.
#[derive(Debug)]
pub(super) struct Relay {
    process: Child,
    program: PathBuf,
    data: PathBuf,
}

impl Relay {
    /// Starts one on a free port, with its data in `folder`.
    pub fn start(programs: &Programs, folder: &Path) -> Result<Self, BenchError> {
        let data = folder.join("relay");
        let mut command = Command::new(&programs.relay);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let relay = Self { process, program: programs.relay.clone(), data };
        if line.is_empty() { Err(BenchError::Program("aside-relay did not start".into())) } else { Ok(relay) }
    }

    /// An invite for everybody who takes part.
    pub fn invite(&self) -> Result<String, BenchError> {
        let mut command = Command::new(&self.program);
        command.args(["invite", "--uses", "1000", "--data"]).arg(&self.data);
        Ok(output(&mut command, "")?.trim().to_owned())
    }

    /// Ends it.
    pub fn stop(mut self) -> Result<(), BenchError> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Somebody's home, with one profile.
#[derive(Debug, Clone)]
pub(super) struct Home {
    aside: PathBuf,
    folder: PathBuf,
}

impl Home {
    /// A folder that need not exist yet.
    pub fn new(programs: &Programs, folder: PathBuf) -> Self {
        Self { aside: programs.aside.clone(), folder }
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
        output(&mut self.command(&["register", "-", "--name", name, "--json"]), invite).map(drop)
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
    Err(BenchError::Program(format!("{} failed: {}", command.get_program().display(), said.trim())))
}

/// The last line of a program's output, as JSON.
pub(super) fn last_json(text: &str) -> Result<Value, BenchError> {
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).map_err(|e| BenchError::Program(format!("not JSON ({e}): {line}")))
}

//! A real client with a home of its own, driven by its command line as a person or a script would.

use crate::process::{Background, Run, run};
use crate::{binaries, search};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Longer than any command's own timeout: reaching it means the program hangs.
const HANG: Duration = Duration::from_secs(120);

/// A person with one device.
#[derive(Debug)]
pub struct Client {
    name: String,
    env: Vec<(String, String)>,
    home: TempDir,
}

impl Client {
    /// A person who has not registered yet.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), env: Vec::new(), home: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A person who has, through `invite`; panics when that fails.
    #[track_caller]
    pub fn registered(name: &str, invite: &str) -> Self {
        let client = Self::new(name);
        client.register(invite).ok();
        client
    }

    /// The name it registers under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its `ASIDE_HOME`.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Sets an environment variable for every later command.
    pub fn set_env(&mut self, key: &str, value: &str) {
        self.env.retain(|(k, _)| k != key);
        self.env.push((key.to_owned(), value.to_owned()));
    }

    /// `aside` with these arguments, in this home; not started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binaries::aside());
        command.args(args).env("ASIDE_HOME", self.home.path());
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, b"")
    }

    /// Runs a command with something on standard input.
    pub fn run_with(&self, args: &[&str], stdin: &[u8]) -> Run {
        run(&mut self.command(args), stdin, HANG)
    }

    /// Starts a command in the background.
    pub fn spawn(&self, args: &[&str]) -> Background {
        Background::start(&mut self.command(args))
    }

    /// `register`; the recovery words go into the home folder.
    pub fn register(&self, invite: &str) -> Run {
        let words = self.recovery_file();
        self.run(&["register", invite, "--name", &self.name, "--recovery-file", &words.to_string_lossy(), "--json"])
    }

    /// Where [`Client::register`] has the recovery words written.
    pub fn recovery_file(&self) -> PathBuf {
        self.home.path().join("recovery-words.txt")
    }

    /// `whoami`.
    pub fn whoami(&self) -> Run {
        self.run(&["whoami", "--json"])
    }

    /// `send TO TEXT` and more arguments, such as `--wait delivered`. The text travels on standard input.
    pub fn send(&self, to: &str, text: &str, more: &[&str]) -> Run {
        let args: Vec<&str> = ["send", to, "-", "--json"].into_iter().chain(more.iter().copied()).collect();
        self.run_with(&args, text.as_bytes())
    }

    /// `recv` with more arguments, such as `--timeout 2s` or `--limit 3`.
    pub fn recv(&self, more: &[&str]) -> Run {
        let args: Vec<&str> = ["recv", "--json"].into_iter().chain(more.iter().copied()).collect();
        self.run(&args)
    }

    /// `recv --follow` in the background.
    pub fn follow(&self) -> Background {
        self.spawn(&["recv", "--follow", "--json"])
    }

    /// `talk WITH` in the background: sends what it is told with [`Background::say`], prints what the other one writes.
    pub fn talk(&self, with: &str) -> Background {
        Background::interactive(&mut self.command(&["talk", with]))
    }

    /// `history WITH` and more arguments.
    pub fn history(&self, with: &str, more: &[&str]) -> Run {
        let args: Vec<&str> = ["history", with, "--json"].into_iter().chain(more.iter().copied()).collect();
        self.run(&args)
    }

    /// The whole history with somebody, the oldest entry first, fetched page by page; panics if pages overlap.
    #[track_caller]
    pub fn whole_history(&self, with: &str) -> Vec<Value> {
        let mut pages = Vec::new();
        let mut before = None::<String>;
        loop {
            let mut args = vec!["--limit", "100"];
            args.extend(before.iter().flat_map(|cursor| ["--before", cursor.as_str()]));
            let mut page = self.history(with, &args).ok().json();
            let next = page.pop().expect("a page ends with its cursor")["next"].as_str().map(str::to_owned);
            assert!(next.is_none() || next != before, "a page ends where it began: {next:?}");
            pages.push(page);
            match next {
                Some(cursor) => before = Some(cursor),
                None => return pages.into_iter().rev().flatten().collect(),
            }
        }
    }

    /// `chats`.
    pub fn chats(&self) -> Run {
        self.run(&["chats", "--json"])
    }

    /// A copy of the home as it is now; no command may be running.
    pub fn snapshot(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a temporary folder");
        search::copy_folder(self.home.path(), copy.path());
        copy
    }

    /// Puts a copy back in place of the home, as a restored backup would; no command may be running.
    pub fn restore(&self, snapshot: &TempDir) {
        for path in search::files(self.home.path()) {
            fs::remove_file(&path).unwrap_or_else(|e| panic!("cannot remove {path:?}: {e}"));
        }
        search::copy_folder(snapshot.path(), self.home.path());
    }
}

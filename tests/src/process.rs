//! Running a program to its end within a time, or in the background; what it said is kept.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What a finished program left.
#[derive(Debug, Clone)]
pub struct Run {
    /// Exit code; none when a signal or the timeout ended it.
    pub code: Option<i32>,
    /// Whether it was killed because its time was up.
    pub timed_out: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Panics with everything it said unless it exited with `code`; returns itself.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit code {code}, got {self:#?}");
        self
    }

    /// Panics with everything it said unless it exited with 0; returns itself.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.expect_code(0)
    }

    /// Standard output as JSON, one value a line; panics at a line that is not.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(parse).collect()
    }

    /// The only JSON line of standard output.
    #[track_caller]
    pub fn one(&self) -> Value {
        let mut lines = self.json();
        assert!(lines.len() == 1, "expected one line, got {self:#?}");
        lines.remove(0)
    }
}

#[track_caller]
fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}"))
}

/// Runs `command` with `stdin` until it ends, or kills it when `timeout` is over.
pub fn run(command: &mut Command, stdin: &[u8], timeout: Duration) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
    let mut pipe = child.stdin.take().expect("piped");
    let input = stdin.to_vec();
    // A program that does not read its input closes the pipe; that is its right.
    let writer = thread::spawn(move || drop(pipe.write_all(&input)));
    let stdout = collect(child.stdout.take().expect("piped"));
    let stderr = collect(child.stderr.take().expect("piped"));
    let status = wait(&mut child, timeout);
    if status.is_none() {
        child.kill().expect("ours to kill");
        child.wait().expect("ours to wait for");
    }
    writer.join().expect("writer");
    let text = |handle: JoinHandle<Vec<u8>>| String::from_utf8_lossy(&handle.join().expect("reader")).into_owned();
    Run {
        code: status.and_then(|status| status.code()),
        timed_out: status.is_none(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

fn wait(child: &mut Child, timeout: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("ours to wait for") {
            return Some(status);
        }
        if began.elapsed() >= timeout {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Lines a program said so far, and when.
type Lines = Arc<Mutex<Vec<(Instant, String)>>>;

/// A program in the background; killed when dropped. What it said can be read while it runs and afterwards.
#[derive(Debug)]
pub struct Background {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
    readers: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts `command` without input.
    pub fn start(command: &mut Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    /// Starts `command` with an input that stays open for [`Background::say`].
    pub fn interactive(command: &mut Command) -> Self {
        Self::start_with(command, Stdio::piped())
    }

    fn start_with(command: &mut Command, stdin: Stdio) -> Self {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        let (stdout, stderr) = (Lines::default(), Lines::default());
        let readers = vec![
            follow(child.stdout.take().expect("piped"), stdout.clone()),
            follow(child.stderr.take().expect("piped"), stderr.clone()),
        ];
        Self { stdin: child.stdin.take(), child, stdout, stderr, readers }
    }

    /// Writes lines to its standard input. A program that is gone or reads no more does not get them; that is no error.
    pub fn say<Line: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = Line>) {
        let text: String = lines.into_iter().map(|line| format!("{}\n", line.as_ref())).collect();
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(text.as_bytes());
        }
    }

    /// Ends its standard input.
    pub fn hush(&mut self) {
        self.stdin = None;
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lines of standard output so far, in order.
    pub fn lines(&self) -> Vec<String> {
        self.timed_lines().into_iter().map(|(_, line)| line).collect()
    }

    /// The same, and when each one came.
    pub fn timed_lines(&self) -> Vec<(Instant, String)> {
        self.stdout.lock().expect("reader").clone()
    }

    /// The same as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        self.lines().iter().map(|line| parse(line)).collect()
    }

    /// Standard error so far.
    pub fn log(&self) -> String {
        let lines = self.stderr.lock().expect("reader");
        lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Waits until standard output has at least `count` lines, and returns them.
    #[track_caller]
    pub fn wait_lines(&self, count: usize, timeout: Duration) -> Vec<String> {
        let what = format!("{count} lines of {}", self.child.id());
        crate::wait_some(&what, timeout, || Some(self.lines()).filter(|lines| lines.len() >= count))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it without warning (SIGKILL) and waits until it is gone and all it said is read.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.reap();
    }

    /// Asks it to end (SIGTERM) and waits; its exit code, or none when a signal or the timeout ended it.
    pub fn terminate(&mut self, timeout: Duration) -> Option<i32> {
        self.signal("TERM");
        self.wait(timeout)
    }

    /// Sends a signal by name, such as `INT` or `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().expect("kill starts");
        assert!(status.success(), "cannot signal {pid}");
    }

    /// Waits until it ends by itself; its exit code, or none when a signal ended it. Kills it after `timeout`.
    pub fn wait(&mut self, timeout: Duration) -> Option<i32> {
        let status = wait(&mut self.child, timeout);
        if status.is_none() {
            let _ = self.child.kill();
        }
        self.reap();
        status.and_then(|status| status.code())
    }

    fn reap(&mut self) {
        self.hush();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("── what process {} said on standard error:\n{}", self.child.id(), self.log());
        }
    }
}

fn follow(from: impl Read + Send + 'static, to: Lines) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            to.lock().expect("reader").push((Instant::now(), line));
        }
    })
}

#[cfg(test)]
mod tests;

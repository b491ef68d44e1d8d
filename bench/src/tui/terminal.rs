//! A program in a pseudo-terminal, an emulator behind it, and when each thing was seen there.

use crate::error::BenchError;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use vt100::{Callbacks, Parser};

/// The window.
const COLUMNS: NonZeroU16 = NonZeroU16::new(120).unwrap();
const ROWS: NonZeroU16 = NonZeroU16::new(40).unwrap();
/// A synchronised update: until it ends, a terminal shows what it showed before.
const UPDATE: u16 = 2026;
/// The longest anything may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program and what its terminal shows.
pub(super) struct Terminal {
    /// When it was started.
    pub started: Instant,
    child: Box<dyn Child + Send + Sync>,
    /// Open as long as the program may draw.
    _master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    shared: Arc<Shared>,
}

struct Shared {
    shown: Mutex<Shown>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is on the screen.
struct Shown {
    parser: Parser<Besides>,
    /// When the newest of it was read.
    at: Instant,
    /// How often something was.
    writes: u64,
    ended: bool,
}

/// Synchronised updates, which the emulator's screen knows nothing of, and what the terminal answers.
#[derive(Default)]
struct Besides {
    updating: bool,
    updates: u64,
    answer: Vec<u8>,
}

impl Callbacks for Besides {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        first: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        match (first, c, params) {
            (Some(b'?'), 'h', [[UPDATE]]) => self.updating = true,
            (Some(b'?'), 'l', [[UPDATE]]) => {
                self.updating = false;
                self.updates += 1;
            }
            (None, 'n', [[6]]) => {
                let (row, column) = screen.cursor_position();
                self.answer.extend(format!("\x1b[{};{}R", row + 1, column + 1).into_bytes());
            }
            (None, 'c', _) => self.answer.extend(b"\x1b[?64;22c"),
            _ => {}
        }
    }
}

impl Terminal {
    /// Starts a program.
    pub fn start(command: &Command) -> Result<Self, BenchError> {
        let size = PtySize { rows: ROWS.get(), cols: COLUMNS.get(), pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(|e| failed(&e))?;
        let reader = pair.master.try_clone_reader().map_err(|e| failed(&e))?;
        let writer = pair.master.take_writer().map_err(|e| failed(&e))?;
        let builder = builder(command);
        let started = Instant::now();
        let child = pair.slave.spawn_command(builder).map_err(|e| failed(&e))?;
        drop(pair.slave);
        let parser = Parser::new_with_callbacks(ROWS, COLUMNS, 0, Besides::default());
        let shown = Shown { parser, at: started, writes: 0, ended: false };
        let shared = Arc::new(Shared { shown: Mutex::new(shown), changed: Condvar::new() });
        let watched = shared.clone();
        std::thread::spawn(move || watch(reader, &watched));
        Ok(Self { started, child, _master: pair.master, writer, shared })
    }

    /// Types, and says when.
    pub fn send(&mut self, bytes: &[u8]) -> Result<Instant, BenchError> {
        // Questions of the program are answered before anything else is typed.
        let answer = std::mem::take(&mut self.shared.lock().parser.callbacks_mut().answer);
        self.writer.write_all(&answer)?;
        let now = Instant::now();
        self.writer.write_all(bytes)?;
        self.writer.flush()?;
        Ok(now)
    }

    /// Waits until a complete screen is as wanted; says when that one was read.
    pub fn wait(
        &mut self,
        what: &'static str,
        mut wanted: impl FnMut(&vt100::Screen) -> bool,
    ) -> Result<Instant, BenchError> {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.shared.lock();
        loop {
            if !shown.parser.callbacks().updating && wanted(shown.parser.screen()) {
                return Ok(shown.at);
            }
            let answer = std::mem::take(&mut shown.parser.callbacks_mut().answer);
            if !answer.is_empty() {
                self.writer.write_all(&answer)?;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || shown.ended {
                let screen = shown.parser.screen().contents();
                return Err(BenchError::Failed(format!("this never came on the screen: {what}\n{screen}")));
            }
            (shown, _) = self.shared.changed.wait_timeout(shown, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Looks at the screen.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.shared.lock().parser.screen())
    }

    /// Frames so far: synchronised updates, or writes if the program makes none.
    pub fn frames(&self) -> u64 {
        let shown = self.shared.lock();
        match shown.parser.callbacks().updates {
            0 => shown.writes,
            updates => updates,
        }
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap_or_default()
    }

    /// Leaves as a person would, with Ctrl-C twice, and waits for the end.
    pub fn leave(mut self) -> Result<(), BenchError> {
        self.send(b"\x03")?;
        self.send(b"\x03")?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(BenchError::Failed("aside does not end".into()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> BenchError {
    BenchError::Failed(format!("no terminal: {error}"))
}

fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.env_clear();
    for (key, value) in [("TERM", "xterm-256color"), ("TZ", "UTC"), ("LANG", "C.UTF-8")] {
        builder.env(key, value);
    }
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            builder.env(key, value);
        }
    }
    builder
}

fn watch(mut from: Box<dyn Read + Send>, shared: &Shared) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        let at = Instant::now();
        let mut shown = shared.lock();
        shown.parser.process(buffer.get(..read).unwrap_or_default());
        shown.at = at;
        shown.writes += 1;
        shown.ended = read == 0;
        drop(shown);
        shared.changed.notify_all();
        if read == 0 {
            return;
        }
    }
}

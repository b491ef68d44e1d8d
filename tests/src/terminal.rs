//! A program in a pseudo-terminal, and what a person in front of it would see: the screen as an emulator draws it, and
//! the bytes that drew it.
//!
//! Two threads serve it: one feeds the emulator with what the program writes, the other carries keys to the program, so
//! that neither waits for the other however much is pasted. The program is killed when this is dropped.

mod emulator;
mod keys;
mod mask;
mod picture;

pub use keys::Key;
pub use mask::{masked, with_date};
pub use picture::svg;

use crate::Client;
use emulator::Emulator;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest anything on a screen may take, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program, the terminal it runs in, and all it wrote.
pub struct Terminal {
    name: String,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    input: Option<Sender<Vec<u8>>>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the reading thread and the test both hold.
struct Shared {
    emulator: Mutex<Emulator>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().expect("the reading thread does not panic")
    }
}

impl Terminal {
    /// `aside` with these arguments, at home at this client's.
    pub fn start(client: &Client, args: &[&str], columns: u16, rows: u16) -> Self {
        Self::run(client.name(), &client.command(args), columns, rows)
    }

    /// Any program. Of this process's environment it gets none but `PATH`; the rest is the same everywhere: xterm with
    /// 256 colours, UTC, UTF-8, and what `command` sets itself.
    pub fn run(name: &str, command: &Command, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(builder(command)).unwrap_or_else(|e| panic!("cannot start: {e}"));
        drop(pair.slave);
        let shared = Arc::new(Shared { emulator: Mutex::new(Emulator::new(columns, rows)), changed: Condvar::new() });
        let (input, keys) = channel();
        let reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let threads = vec![watch(reader, shared.clone(), input.clone()), carry(keys, writer)];
        Self { name: name.to_owned(), child, master: pair.master, input: Some(input), shared, threads }
    }

    /// Types characters, as they are.
    pub fn press(&self, text: &str) {
        self.send(text.as_bytes().to_vec());
    }

    /// Presses a key that is no character.
    pub fn key(&self, key: Key) {
        self.send(key.bytes());
    }

    /// Types a line and presses Enter.
    pub fn enter(&self, text: &str) {
        self.press(text);
        self.key(Key::Enter);
    }

    /// Pastes, in brackets if the program asked for them.
    pub fn paste(&self, text: &str) {
        let bracketed = self.look(|emulator| emulator.screen().bracketed_paste());
        // Terminals send line ends as Enter does.
        let text = text.replace('\n', "\r");
        self.send(if bracketed { format!("\x1b[200~{text}\x1b[201~") } else { text }.into_bytes());
    }

    /// The window gets the focus, or loses it.
    pub fn focus(&self, focused: bool) {
        self.send(if focused { b"\x1b[I".to_vec() } else { b"\x1b[O".to_vec() });
    }

    /// Turns the wheel towards older things, at this column and row (from 0).
    pub fn wheel_up(&self, column: u16, row: u16) {
        self.mouse(64, column, row);
    }

    /// Turns the wheel towards newer things.
    pub fn wheel_down(&self, column: u16, row: u16) {
        self.mouse(65, column, row);
    }

    /// Presses and releases the left button.
    pub fn click(&self, column: u16, row: u16) {
        self.mouse(0, column, row);
        self.send(format!("\x1b[<0;{};{}m", column + 1, row + 1).into_bytes());
    }

    /// As xterm reports it in its SGR encoding.
    fn mouse(&self, button: u8, column: u16, row: u16) {
        self.send(format!("\x1b[<{button};{};{}M", column + 1, row + 1).into_bytes());
    }

    /// Gives the window another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.shared.lock().resize(columns, rows);
        self.master.resize(size(columns, rows)).expect("a terminal can be resized");
    }

    /// Sends a signal by name, such as `TERM`, to the program.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Sends a signal to whatever runs in the foreground of the terminal: not the shell that started it.
    pub fn signal_foreground(&self, name: &str) {
        let group = self.master.process_group_leader().expect("something is in the foreground");
        signal(u32::try_from(group).expect("a process id"), name);
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("it was started")
    }

    /// Whether the terminal is as a shell wants it: lines are edited by the system, and what is typed is echoed.
    pub fn is_cooked(&self) -> bool {
        let flags = self.master.get_termios().expect("a terminal has settings").local_flags;
        // ECHO and ICANON of termios(3).
        flags.bits() & 0o12 == 0o12
    }

    fn send(&self, bytes: Vec<u8>) {
        if let Some(input) = &self.input {
            // Nobody reads when the program has ended; that is no error here.
            let _ = input.send(bytes);
        }
    }

    /// What is on the screen now: its rows, without the blanks at their ends.
    pub fn screen(&self) -> String {
        self.look(Emulator::text)
    }

    /// The same with what differs from run to run made the same; see [`masked`].
    pub fn masked(&self) -> String {
        masked(&self.screen())
    }

    /// Looks at the emulator's screen itself, for colours and the cursor.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        self.look(|emulator| look(emulator.screen()))
    }

    /// All bytes the program wrote so far.
    pub fn raw(&self) -> Vec<u8> {
        self.look(|emulator| emulator.raw().to_vec())
    }

    /// What the program asked of the terminal and should not have: bells, titles, the clipboard, another size.
    pub fn alarms(&self) -> Vec<String> {
        self.look(|emulator| emulator.alarms().to_vec())
    }

    /// Whether the terminal is as it was before the program: the first screen, the cursor shown, nothing reported.
    pub fn is_restored(&self) -> bool {
        let modes = self.look(|emulator| {
            let screen = emulator.screen();
            screen.alternate_screen()
                || screen.hide_cursor()
                || screen.bracketed_paste()
                || emulator.tells_focus()
                || emulator.in_update()
                || screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
        });
        !modes && self.is_cooked()
    }

    /// The screen as a picture.
    pub fn svg(&self, title: &str) -> String {
        self.with_screen(|screen| svg(screen, title))
    }

    fn look<T>(&self, look: impl FnOnce(&Emulator) -> T) -> T {
        look(&self.shared.lock())
    }

    /// Waits until the screen holds these words, on one row.
    #[track_caller]
    pub fn wait_for(&self, words: &str) -> String {
        self.wait_until(&format!("{words:?}"), |screen| screen.contains(words))
    }

    /// Waits until the screen holds these words no longer.
    #[track_caller]
    pub fn wait_gone(&self, words: &str) -> String {
        self.wait_until(&format!("{words:?} to go away"), |screen| !screen.contains(words))
    }

    /// Waits until the screen is as wanted, and returns it; panics with the screen when it never is.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut wanted: impl FnMut(&str) -> bool) -> String {
        let fine = self.wait(|emulator| {
            // Between the beginning and the end of a synchronised update a real terminal shows nothing new.
            (!emulator.in_update()).then(|| emulator.text()).filter(|screen| wanted(screen))
        });
        fine.unwrap_or_else(|| panic!("{} waited {PATIENCE:?} in vain for: {what}\n{}", self.name, self.framed()))
    }

    /// Waits until the bytes written so far are as wanted.
    #[track_caller]
    pub fn wait_raw(&self, what: &str, mut wanted: impl FnMut(&[u8]) -> bool) {
        let fine = self.wait(|emulator| wanted(emulator.raw()).then_some(()));
        assert!(fine.is_some(), "{} waited {PATIENCE:?} in vain for: {what}\n{}", self.name, self.framed());
    }

    fn wait<T>(&self, mut look: impl FnMut(&Emulator) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut emulator = self.shared.lock();
        loop {
            if let Some(found) = look(&emulator) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || emulator.ended() {
                return None;
            }
            (emulator, _) = self.shared.changed.wait_timeout(emulator, left).expect("the reading thread lives");
        }
    }

    /// The screen in a frame, for whoever reads a failure.
    fn framed(&self) -> String {
        let (screen, ended) = self.look(|emulator| (emulator.text(), emulator.ended()));
        let rows: String = screen.lines().map(|row| format!("│{row}\n")).collect();
        let state = if ended { "the program has ended" } else { "the program runs" };
        format!("┌── {} ({state})\n{rows}└──", self.name)
    }

    /// Waits until the program has ended and all it wrote was read.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let status = crate::wait_some("the program to end", PATIENCE, || child.try_wait().expect("ours to wait for"));
        self.input = None;
        self.wait(|emulator| emulator.ended().then_some(()));
        status
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it without warning.
    pub fn kill(&mut self) {
        if self.is_running() {
            signal(self.pid(), "KILL");
        }
        let _ = self.child.wait();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.kill();
        self.input = None;
        if thread::panicking() {
            eprintln!("{}", self.framed());
        }
        // The threads end with the terminal; one that outlives it because something else holds it open is let go.
        for thread in self.threads.drain(..).filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill starts");
    assert!(status.success(), "cannot signal {pid}");
}

fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        builder.env("PATH", path);
    }
    for (key, value) in [("TERM", "xterm-256color"), ("TZ", "UTC"), ("LANG", "C.UTF-8")] {
        builder.env(key, value);
    }
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => builder.env(key, value),
            None => builder.env_remove(key),
        }
    }
    builder
}

/// Feeds the emulator; what it has to answer, as terminals do, goes back like keys.
fn watch(mut from: Box<dyn Read + Send>, shared: Arc<Shared>, answers: Sender<Vec<u8>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        loop {
            let read = from.read(&mut buffer).unwrap_or(0);
            let mut emulator = shared.lock();
            let answer = emulator.feed(&buffer[..read]);
            if read == 0 {
                emulator.end();
            }
            drop(emulator);
            shared.changed.notify_all();
            if !answer.is_empty() {
                let _ = answers.send(answer);
            }
            if read == 0 {
                return;
            }
        }
    })
}

fn carry(keys: Receiver<Vec<u8>>, mut to: Box<dyn Write + Send>) -> JoinHandle<()> {
    thread::spawn(move || {
        for bytes in keys {
            if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    })
}

#[cfg(test)]
mod tests;

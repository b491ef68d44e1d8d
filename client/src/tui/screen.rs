//! The terminal as it must be for drawing, and as it was before: whatever happens, the user gets it back.

use super::backend;
use aside_tui::LinkSpan;
use crossterm::Command;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange, KeyboardEnhancementFlags,
    PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::{Frame, Terminal};
use std::fmt;
use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Room for what a frame writes, so that it goes out whole.
const FRAME: usize = 64 << 10;

/// A signal that stops the process has done so within this time; the stop itself does not count against it.
const STOPS: Duration = Duration::from_millis(300);

/// Whether the terminal is ours now.
static OURS: AtomicBool = AtomicBool::new(false);

/// The wheel and the buttons, and nothing of the pointer's ways: what moves over the window is no concern of ours.
struct Wheel(bool);

impl Command for Wheel {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str(if self.0 { "\x1b[?1000h\x1b[?1006h" } else { "\x1b[?1006l\x1b[?1000l" })
    }
}

/// The terminal while it is drawn on.
pub(super) struct Screen {
    terminal: Terminal<backend::Screen<BufWriter<Stdout>>>,
}

impl Screen {
    /// Takes the terminal; it goes back when this is dropped, and before a panic is reported.
    pub fn enter(links: bool) -> io::Result<Self> {
        take().inspect_err(|_| give_back())?;
        let writer = BufWriter::with_capacity(FRAME, stdout());
        let terminal = Terminal::new(backend::Screen::new(writer, links))?;
        Ok(Self { terminal })
    }

    /// Columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws a frame as one piece.
    pub fn draw(&mut self, view: impl FnOnce(&mut Frame) -> Vec<LinkSpan>) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        let links = self.terminal.backend().links();
        self.terminal.draw(|frame| links.set(view(frame)))?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()
    }

    /// Draws everything anew next time.
    pub fn forget(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Gives the terminal back, stops, and takes it again when it is this program's turn again.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The whole job stops, as it does when the terminal sends the signal. No job control: nothing happens.
        if let Err(error) = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP) {
            tracing::debug!(%error, "not stopped");
        }
        // Another thread may be the one that takes the signal, and this one must not take the terminal back before.
        std::thread::sleep(STOPS);
        self.resume()
    }

    /// The program goes on after it was stopped, by whomever.
    pub fn resume(&mut self) -> io::Result<()> {
        take()?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take() -> io::Result<()> {
    // From here on it must be given back, also if half of what follows fails.
    if OURS.swap(true, Ordering::SeqCst) {
        // Stopped without notice, or told twice that it goes on: terminals keep what is pushed on a stack.
        execute!(stdout(), PopKeyboardEnhancementFlags)?;
        // A shell may have changed the mode meanwhile, and what is on already is not turned on again.
        disable_raw_mode()?;
    }
    enable_raw_mode()?;
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        Wheel(true),
        // Terminals that do not know it ignore it. Those that do tell Shift-Enter from Enter.
        PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES),
    )
}

/// Gives the terminal back, once. Errors help nobody: there is nowhere left to say them.
pub(super) fn give_back() {
    if OURS.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            stdout(),
            PopKeyboardEnhancementFlags,
            Wheel(false),
            DisableFocusChange,
            DisableBracketedPaste,
            EndSynchronizedUpdate,
            cursor::Show,
            LeaveAlternateScreen,
        );
        let _ = disable_raw_mode();
    }
}

/// A panic gives the terminal back and then says where it happened. Not what: that may hold somebody's text.
pub(super) fn restore_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        give_back();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            io::stderr(),
            "aside: a bug at {place}; please report it. What you wrote is in the outbox or a draft."
        );
    }));
}

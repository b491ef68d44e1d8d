//! The thread that owns terminal and model: takes what happened, updates, draws, hands on what must be done.

use super::screen::{self, Screen};
use super::{backend, input, now};
use aside_tui::{Cmd, Model, Msg, update, view};
use jiff::tz::TimeZone;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often time passes on the screen.
const TICK: Duration = Duration::from_secs(1);
/// Most of what happened that is taken before the next frame is drawn.
const BATCH: usize = 256;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Event {
    /// Something happened.
    Msg(Msg),
    /// The process was stopped and goes on.
    Resumed,
    /// The model shall leave as if the user had asked for it.
    Quit,
    /// The screen is no longer needed.
    Leave,
}

/// The thread, what to tell it, and what it wants done. It answers with [`Cmd::Quit`] when the user leaves, and ends when
/// told to.
type Started = (Sender<Event>, UnboundedReceiver<Cmd>, JoinHandle<io::Result<()>>);

/// Starts the threads; the first thing they do is to take the terminal.
pub(super) fn start() -> io::Result<Started> {
    let (events, heard) = channel();
    let (wants, cmds) = unbounded_channel();
    screen::restore_on_panic();
    input::start(events.clone())?;
    let thread = thread::Builder::new().name("screen".into()).spawn(move || Ui::enter(wants)?.run(&heard))?;
    Ok((events, cmds, thread))
}

struct Ui {
    model: Model,
    screen: Screen,
    wants: UnboundedSender<Cmd>,
}

impl Ui {
    fn enter(wants: UnboundedSender<Cmd>) -> io::Result<Self> {
        let screen = Screen::enter(backend::supported(|name| std::env::var(name).ok()))?;
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let model = Model::new(screen.size()?, now(), TimeZone::system(), colours);
        Ok(Self { model, screen, wants })
    }

    /// A terminal that is gone takes nothing with it: what is being written is kept.
    fn run(mut self, heard: &Receiver<Event>) -> io::Result<()> {
        let ended = self.show(heard);
        if ended.is_err() {
            for cmd in aside_tui::leave(&mut self.model) {
                let _ = self.wants.send(cmd);
            }
        }
        ended
    }

    fn show(&mut self, heard: &Receiver<Event>) -> io::Result<()> {
        let mut tick = Instant::now() + TICK;
        loop {
            let model = &self.model;
            self.screen.draw(|frame| view(model, frame))?;
            match heard.recv_timeout(tick.saturating_duration_since(Instant::now())) {
                Ok(event) => {
                    if !self.take(event)? {
                        return Ok(());
                    }
                    for event in heard.try_iter().take(BATCH) {
                        if !self.take(event)? {
                            return Ok(());
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if Instant::now() >= tick {
                tick = Instant::now() + TICK;
                self.measure()?;
                self.happened(Msg::Tick(now()))?;
            }
        }
    }

    /// Takes one event; false when the screen is no longer needed.
    fn take(&mut self, event: Event) -> io::Result<bool> {
        match event {
            Event::Msg(msg) => {
                // Between two sizes there may have been a third that nobody saw, which cost the screen what it showed.
                if matches!(msg, Msg::Resize(..)) {
                    self.screen.forget()?;
                }
                self.happened(msg)?;
            }
            Event::Resumed => {
                self.screen.resume()?;
                self.measure()?;
            }
            Event::Quit => {
                for cmd in aside_tui::leave(&mut self.model) {
                    self.want(cmd)?;
                }
            }
            Event::Leave => return Ok(false),
        }
        Ok(true)
    }

    fn happened(&mut self, msg: Msg) -> io::Result<()> {
        update(&mut self.model, msg).into_iter().try_for_each(|cmd| self.want(cmd))
    }

    /// Sizes that changed unheard: while the program was stopped, or behind input that came in pieces.
    fn measure(&mut self) -> io::Result<()> {
        let (columns, rows) = self.screen.size()?;
        if self.model.size == (columns, rows) {
            return Ok(());
        }
        self.screen.forget()?;
        self.happened(Msg::Resize(columns, rows))
    }

    fn want(&mut self, cmd: Cmd) -> io::Result<()> {
        match cmd {
            Cmd::Redraw => self.screen.forget(),
            Cmd::Suspend => {
                self.screen.suspend()?;
                self.measure()
            }
            other => {
                // If nobody is there to do it any more, the screen will be told to leave.
                let _ = self.wants.send(other);
                Ok(())
            }
        }
    }
}

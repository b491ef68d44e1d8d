//! Runs `aside-tui`: a thread that owns the terminal and the model, one that reads keys, and the hands, which do on the
//! runtime what the model wants done. The terminal's thread waits for neither disk nor network.

pub mod backend;
pub mod begin;
pub mod closed;
pub mod hands;
mod input;
mod screen;
mod ui;

pub(crate) use crate::agent::now;

use crate::agent::{Agent, Connectivity};
use crate::cli::{CliError, ExitCode, Settings};
use aside_tui::data::Me;
use aside_tui::setup::Ask;
use aside_tui::{Cmd, Msg};
use begin::Start;
use std::io::IsTerminal;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use ui::Event;

/// How long what is on its way may take when the user leaves.
const PATIENCE: Duration = Duration::from_secs(2);

/// A program told by a signal to end has ended within this time.
const LAST_RESORT: Duration = Duration::from_secs(20);

/// Opens the chats in the terminal, or the first run, until the user leaves. The conversation with `wanted` comes first.
pub async fn run(settings: &Settings, wanted: Option<String>) -> Result<(), CliError> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        let why = "aside alone opens chats in a terminal, and this is none; aside --help lists the commands";
        return Err(CliError::Usage(why.into()));
    }
    let (events, cmds, screen) = ui::start().map_err(CliError::Output)?;
    let signals = tokio::spawn(tell_of_signals(events.clone()));
    let mut beside = Beside { settings, wanted, events, cmds };
    let ended = beside.run().await;
    signals.abort();
    beside.leave();
    // The terminal is the user's again before anything is said.
    let drawn = tokio::task::spawn_blocking(move || screen.join()).await;
    ended?;
    match drawn {
        Ok(Ok(result)) => result.map_err(CliError::Output),
        _ => Err(CliError::Failed("the screen stopped because of a bug in aside; please report it".into())),
    }
}

/// Signals that end the program end it in order; after a stop the screen is drawn anew.
async fn tell_of_signals(events: Sender<Event>) {
    let resumed = SignalKind::from_raw(rustix::process::Signal::CONT.as_raw());
    let (Ok(mut terminate), Ok(mut hangup), Ok(mut interrupt), Ok(mut resumed)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
        signal(SignalKind::interrupt()),
        signal(resumed),
    ) else {
        return;
    };
    loop {
        let event = tokio::select! {
            _ = terminate.recv() => Event::Quit,
            _ = hangup.recv() => Event::Quit,
            // Ctrl-C is a key here; this one was sent by another program.
            _ = interrupt.recv() => Event::Quit,
            _ = resumed.recv() => Event::Resumed,
        };
        let ends = matches!(event, Event::Quit);
        if events.send(event).is_err() {
            return;
        }
        if ends {
            tokio::spawn(end_anyhow());
        }
    }
}

/// A terminal that takes no more output holds the screen's thread for ever. What is stored is stored.
async fn end_anyhow() {
    tokio::time::sleep(LAST_RESORT).await;
    std::process::exit(ExitCode::Error as i32);
}

/// What runs beside the screen.
struct Beside<'a> {
    settings: &'a Settings,
    wanted: Option<String>,
    events: Sender<Event>,
    cmds: UnboundedReceiver<Cmd>,
}

impl Beside<'_> {
    /// From whatever state the profile is in to the chats, and until the user leaves.
    async fn run(&mut self) -> Result<(), CliError> {
        let mut start = begin::start(self.settings);
        loop {
            match start {
                Start::Ready(engine) => return self.chats(Agent::start(*engine, self.settings.transport)).await,
                Start::Closed(closed) => self.tell(Msg::Closed(closed)),
                Start::Setup(heard) => self.tell(Msg::Setup(heard)),
            }
            start = match self.next_start().await {
                Some(next) => next,
                None => return Ok(()),
            };
        }
    }

    /// What the user does about a profile that is not open; none if that is to leave.
    async fn next_start(&mut self) -> Option<Start> {
        loop {
            match self.cmds.recv().await? {
                Cmd::Quit => return None,
                Cmd::Reopen => return Some(begin::start(self.settings)),
                Cmd::Setup(Ask::Begin) => return Some(begin::begin(self.settings)),
                Cmd::Setup(Ask::Link(code)) => {
                    let events = self.events.clone();
                    let tell = move |heard| _ = events.send(Event::Msg(Msg::Setup(heard)));
                    return tokio::select! {
                        start = begin::link(self.settings, code, tell) => Some(start),
                        () = told_to_quit(&mut self.cmds) => None,
                    };
                }
                Cmd::Setup(Ask::Register { invite, name }) => {
                    return tokio::select! {
                        heard = begin::register(self.settings, invite, name) => Some(Start::Setup(heard)),
                        () = told_to_quit(&mut self.cmds) => None,
                    };
                }
                _ => {}
            }
        }
    }

    /// Until the user leaves. What was to be stored is stored before the screen goes; what is on its way to the relay has
    /// a moment more.
    async fn chats(&mut self, agent: Agent) -> Result<(), CliError> {
        let handle = agent.handle();
        let me = handle.with(|engine| Ok(Me { account: engine.account(), name: engine.name().to_string() })).await?;
        let wanted = self.wanted.take();
        self.tell(Msg::Opened { me, wanted });
        let (wants, cmds) = unbounded_channel();
        let events = self.events.clone();
        let hands = tokio::spawn(hands::run(handle, cmds, move |msg| _ = events.send(Event::Msg(msg))));
        while let Some(cmd) = self.cmds.recv().await.filter(|cmd| *cmd != Cmd::Quit) {
            if wants.send(cmd).is_err() {
                break;
            }
        }
        drop(wants);
        let _ = hands.await;
        self.leave();
        let online = matches!(*agent.handle().connectivity().borrow(), Connectivity::Online(_));
        agent.close(if online { PATIENCE } else { Duration::ZERO }).await;
        Ok(())
    }

    fn tell(&self, msg: Msg) {
        // A screen that has ended needs to be told nothing.
        let _ = self.events.send(Event::Msg(msg));
    }

    fn leave(&self) {
        let _ = self.events.send(Event::Leave);
    }
}

/// While a registration is under way nothing but leaving is listened to; it can be completed later.
async fn told_to_quit(cmds: &mut UnboundedReceiver<Cmd>) {
    while cmds.recv().await.is_some_and(|cmd| cmd != Cmd::Quit) {}
}

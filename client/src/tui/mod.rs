//! Runs `aside-tui`: a thread that owns the terminal and the model, one that reads keys, and the hands, which do on the
//! runtime what the model wants done. The terminal's thread waits for neither disk nor network.

pub mod backend;
pub mod begin;
pub mod closed;
pub mod hands;
mod input;
mod screen;
mod ui;

use crate::agent::Agent;
use crate::cli::{CliError, Settings};
use aside_tui::data::Me;
use aside_tui::{Cmd, Msg, setup};
use begin::Start;
use std::io::IsTerminal;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use ui::Event;

/// How long what is on its way may take when the user leaves.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the chats in the terminal, or the first run, until the user leaves.
pub async fn run(settings: &Settings) -> Result<(), CliError> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(CliError::Usage("aside alone opens chats in a terminal, and this is none; aside --help lists commands".into()));
    }
    let (events, cmds, screen) = ui::start().map_err(CliError::Output)?;
    listen_to_signals(&events).map_err(CliError::Input)?;
    let mut stage = Waiting { settings, events, cmds };
    let ended = stage.run().await;
    // The terminal is the user's again before anything else is said.
    let _ = stage.events.send(Event::Leave);
    let drawn = tokio::task::spawn_blocking(move || screen.join()).await;
    ended?;
    match drawn {
        Ok(Ok(result)) => result.map_err(CliError::Output),
        _ => Err(CliError::Failed("the screen stopped because of a bug in aside; please report it".into())),
    }
}

/// What runs beside the screen.
struct Waiting<'a> {
    settings: &'a Settings,
    events: Sender<Event>,
    cmds: UnboundedReceiver<Cmd>,
}

impl Waiting<'_> {
    async fn run(&mut self) -> Result<(), CliError> {
        let mut start = begin::start(self.settings);
        loop {
            match start {
                Start::Ready(agent) => return self.chats(*agent).await,
                Start::Closed(closed) => {
                    self.tell(Msg::Closed(closed));
                    match self.cmds.recv().await {
                        Some(Cmd::Setup(setup::Ask::Begin)) => start = begin::start(self.settings),
                        Some(Cmd::Quit) | None => return Ok(()),
                        Some(_) => start = begin::start(self.settings),
                    }
                }
                Start::Setup | Start::WordsAgain { .. } => match self.first_run(start).await {
                    Some(next) => start = next,
                    None => return Ok(()),
                },
            }
        }
    }

    fn tell(&self, msg: Msg) {
        // A screen that has ended needs to be told nothing.
        let _ = self.events.send(Event::Msg(msg));
    }
}

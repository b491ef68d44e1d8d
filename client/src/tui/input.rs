//! The thread that reads what the terminal sends. It ends with the process: nothing else ends a read of the terminal.

use super::ui::Event;
use aside_tui::Msg;
use crossterm::event::{self, Event as Input};
use std::io;
use std::sync::mpsc::Sender;
use std::thread;

/// Starts it.
pub(super) fn start(events: Sender<Event>) -> io::Result<()> {
    thread::Builder::new().name("keys".into()).spawn(move || {
        loop {
            let event = match event::read() {
                Ok(input) => Event::Msg(message(input)),
                Err(_) => Event::Quit,
            };
            let ends = matches!(event, Event::Quit);
            if events.send(event).is_err() || ends {
                return;
            }
        }
    })?;
    Ok(())
}

fn message(input: Input) -> Msg {
    match input {
        Input::Key(key) => Msg::Key(key),
        Input::Mouse(mouse) => Msg::Mouse(mouse),
        Input::Paste(text) => Msg::Paste(text),
        Input::Resize(columns, rows) => Msg::Resize(columns, rows),
        Input::FocusGained => Msg::Focus(true),
        Input::FocusLost => Msg::Focus(false),
    }
}

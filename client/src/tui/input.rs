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
            let told = match event::read() {
                Ok(input) => message(input).map_or(Ok(()), |msg| events.send(Event::Msg(msg))),
                Err(_) => {
                    let _ = events.send(Event::Leave);
                    return;
                }
            };
            if told.is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

fn message(input: Input) -> Option<Msg> {
    Some(match input {
        Input::Key(key) => Msg::Key(key),
        Input::Mouse(mouse) => Msg::Mouse(mouse),
        Input::Paste(text) => Msg::Paste(text),
        Input::Resize(columns, rows) => Msg::Resize(columns, rows),
        Input::FocusGained => Msg::Focus(true),
        Input::FocusLost => Msg::Focus(false),
    })
}

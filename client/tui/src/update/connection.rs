//! How things stand with the relay, at length.

use crate::cmd::Cmd;
use crate::model::{Model, Overlay};
use crossterm::event::{KeyCode, KeyEvent};

/// Shows it.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    if let Some(desk) = model.desk_mut() {
        desk.overlay = Some(Overlay::Connection);
    }
    Vec::new()
}

/// `r` tries again at once.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    match key.code {
        KeyCode::Char('r') => {
            model.say("Trying again.");
            vec![Cmd::Retry]
        }
        KeyCode::Enter | KeyCode::Char('q') => super::back::close(model),
        _ => Vec::new(),
    }
}

//! The keys.

use crate::cmd::Cmd;
use crate::model::{Focus, Model, Overlay};
use crossterm::event::{KeyCode, KeyEvent};

/// Shows them.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    if let Some(desk) = model.desk_mut() {
        desk.overlay = Some(Overlay::Help(0));
    }
    Vec::new()
}

/// Shows them if nothing is written; else it is a question mark like any other.
pub(super) fn open_or_type(model: &mut Model) -> Vec<Cmd> {
    let empty = model.open_mut().is_none_or(|open| open.composer.is_empty());
    if empty { open(model) } else { super::type_text::edit(model, |area| area.insert_char('?')) }
}

/// Scrolls; a second `?` types one, for who wanted to write it.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let Some(Overlay::Help(down)) = &mut desk.overlay else { return Vec::new() };
    match key.code {
        KeyCode::Down => *down = down.saturating_add(1),
        KeyCode::Up => *down = down.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => *down = down.saturating_add(8),
        KeyCode::PageUp => *down = down.saturating_sub(8),
        KeyCode::Char('?') if desk.focus == Focus::Composer => {
            desk.overlay = None;
            return super::type_text::edit(model, |area| area.insert_char('?'));
        }
        _ => desk.overlay = None,
    }
    Vec::new()
}

//! Typing and pasting into the composer.

use crate::cmd::Cmd;
use crate::layout;
use crate::model::composer::TooLong;
use crate::model::{Focus, Model};
use aside_protocol::limits::MAX_TEXT;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::TextArea;

/// A key that stands for itself.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    match key.code {
        KeyCode::Char(letter) if plain && model.desk().is_some_and(|desk| desk.focus == Focus::Composer) => {
            insert(model, letter.encode_utf8(&mut [0; 4]))
        }
        KeyCode::Tab => insert(model, "\t"),
        _ => Vec::new(),
    }
}

/// Text from the clipboard.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Cmd> {
    if let Some(desk) = model.desk_mut()
        && desk.open.is_some()
    {
        desk.focus = Focus::Composer;
    }
    insert(model, text)
}

/// Changes what is written.
pub(super) fn edit(model: &mut Model, change: impl FnOnce(&mut TextArea<'static>)) -> Vec<Cmd> {
    if let Some(open) = model.open_mut() {
        change(open.composer.edit());
    }
    Vec::new()
}

fn insert(model: &mut Model, text: &str) -> Vec<Cmd> {
    if let Some(why) = layout::silence(model.desk()) {
        model.say(why);
        return Vec::new();
    }
    let Some(open) = model.open_mut() else { return Vec::new() };
    if let Err(TooLong(bytes)) = open.composer.insert(text) {
        model.say(format!(
            "That makes {} KiB; a message holds {} KiB. Not inserted: send it in parts.",
            bytes.div_ceil(1024),
            MAX_TEXT / 1024
        ));
    }
    Vec::new()
}

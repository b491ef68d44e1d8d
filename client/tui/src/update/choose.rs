//! The chat list's cursor.

use crate::cmd::Cmd;
use crate::model::Model;

/// Moves it.
pub(super) fn by(model: &mut Model, by: isize) -> Vec<Cmd> {
    if let Some(desk) = model.desk_mut()
        && let Some(last) = desk.list().len().checked_sub(1)
    {
        let index = desk.cursor_index().saturating_add_signed(by).min(last);
        desk.cursor = Some(desk.list()[index].peer);
    }
    Vec::new()
}

/// Opens the chat it is on.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    let chosen = model.desk().and_then(|desk| desk.list().get(desk.cursor_index())).map(|chat| chat.peer);
    chosen.map(|peer| super::open::open(model, peer, None)).unwrap_or_default()
}

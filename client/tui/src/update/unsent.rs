//! What was not sent: tried again, or taken back.

use crate::cmd::Cmd;
use crate::model::{Model, Overlay};
use crossterm::event::{KeyCode, KeyEvent};

/// Shows it for the open conversation.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let Some(peer) = desk.open.as_ref().map(|open| open.peer) else {
        model.say("Open a chat first.");
        return Vec::new();
    };
    desk.overlay = Some(Overlay::Unsent { peer, items: None, why: None, cursor: 0 });
    vec![Cmd::LoadUnsent(peer)]
}

/// `r` tries all again, `d` takes the chosen one back.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let Some(Overlay::Unsent { peer, items, cursor, .. }) = &mut desk.overlay else { return Vec::new() };
    let items = items.as_deref().unwrap_or_default();
    match key.code {
        KeyCode::Down => *cursor = (*cursor + 1).min(items.len().saturating_sub(1)),
        KeyCode::Up => *cursor = cursor.saturating_sub(1),
        KeyCode::Char('r') => {
            desk.overlay = None;
            model.say("Trying again.");
            return vec![Cmd::Retry];
        }
        KeyCode::Char('d') => match items.get(*cursor) {
            Some(item) if item.deletable => return vec![Cmd::Withdraw { peer: *peer, row: item.row }],
            Some(_) => model.say("This one may be at the relay already, so it cannot be taken back."),
            None => {}
        },
        KeyCode::Enter | KeyCode::Char('q') => desk.overlay = None,
        _ => {}
    }
    Vec::new()
}

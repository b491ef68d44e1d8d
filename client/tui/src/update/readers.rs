//! Who has received and read a message: the newest own one at first, others with the arrows.

use crate::cmd::Cmd;
use crate::data::{Kind, Reader};
use crate::model::{Model, Overlay};
use aside_protocol::AccountId;
use crossterm::event::{KeyCode, KeyEvent};

/// Shows it for the newest own message on the screen or before it.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    let Some(open) = model.open_mut() else {
        model.say("Open a chat first.");
        return Vec::new();
    };
    if open.kind == Kind::Channel {
        model.say("In a channel nobody says what they have read.");
        return Vec::new();
    }
    let (peer, bottom) = (open.peer, open.bottom_key());
    let newest = open.own_messages().rev().find(|(key, _)| bottom.is_none_or(|bottom| *key <= bottom));
    let Some(row) = newest.map(|(key, _)| key.row) else {
        model.say("You have written nothing here yet.");
        return Vec::new();
    };
    let mut cmds = vec![Cmd::LookAtReceipts(peer)];
    cmds.extend(show(model, peer, row));
    cmds
}

/// They were read.
pub(super) fn heard(model: &mut Model, about: i64, known: Vec<Reader>) {
    if let Some(Overlay::Readers { row, readers, .. }) = model.desk_mut().and_then(|desk| desk.overlay.as_mut())
        && *row == about
    {
        *readers = Some(known);
    }
}

/// Up and down choose another message, the page keys scroll.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let Some(Overlay::Readers { peer, row, down, .. }) = &mut desk.overlay else { return Vec::new() };
    let (peer, row) = (*peer, *row);
    match key.code {
        KeyCode::Up => return other(model, peer, row, -1),
        KeyCode::Down => return other(model, peer, row, 1),
        KeyCode::PageDown | KeyCode::Char(' ') => *down = down.saturating_add(8),
        KeyCode::PageUp => *down = down.saturating_sub(8),
        KeyCode::Enter | KeyCode::Char('q') => desk.overlay = None,
        _ => {}
    }
    Vec::new()
}

fn other(model: &mut Model, peer: AccountId, row: i64, by: isize) -> Vec<Cmd> {
    let Some(open) = model.open_mut().filter(|open| open.peer == peer) else { return Vec::new() };
    let own: Vec<i64> = open.own_messages().map(|(key, _)| key.row).collect();
    let at = own.iter().position(|other| *other == row);
    match at.and_then(|at| at.checked_add_signed(by)).and_then(|at| own.get(at)).copied() {
        Some(row) => show(model, peer, row),
        None => Vec::new(),
    }
}

fn show(model: &mut Model, peer: AccountId, row: i64) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    desk.overlay = Some(Overlay::Readers { peer, row, readers: None, down: 0 });
    vec![Cmd::LoadReaders { peer, row }]
}

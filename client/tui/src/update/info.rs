//! What is known of a contact, and the decision about a new key.

use crate::cmd::Cmd;
use crate::data::Kind;
use crate::model::{Focus, Model, Overlay};
use crossterm::event::{KeyCode, KeyEvent};

/// Shows it: of the open conversation, or of the chat chosen in the list.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let chosen = desk.list().get(desk.cursor_index()).map(|chat| chat.peer).filter(|_| desk.focus == Focus::List);
    let Some(peer) = chosen.or(desk.open.as_ref().map(|open| open.peer)) else {
        model.say("Open a chat first.");
        return Vec::new();
    };
    if desk.chat(&peer).is_some_and(|chat| chat.kind != Kind::Direct) {
        return super::group::open(model, peer);
    }
    desk.overlay = Some(Overlay::Info { peer, info: None, down: 0 });
    vec![Cmd::LoadInfo(peer)]
}

/// `a` accepts a new key, `v` remembers that the number was compared; the rest scrolls or closes.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let Some(Overlay::Info { peer, info, down }) = &mut desk.overlay else { return Vec::new() };
    let peer = *peer;
    let verified = info.as_ref().is_some_and(|info| info.verified);
    let rival = info.as_ref().and_then(|info| info.rival.as_ref()).map(|(rival, _)| *rival);
    match key.code {
        KeyCode::Down => *down = down.saturating_add(1),
        KeyCode::Up => *down = down.saturating_sub(1),
        KeyCode::Char('a') => {
            if let Some(rival) = rival {
                desk.overlay = None;
                return vec![Cmd::AcceptKey { peer, rival }];
            }
        }
        KeyCode::Char('v') if info.is_some() && rival.is_none() => {
            return vec![Cmd::Verify { peer, same: !verified }, Cmd::LoadInfo(peer)];
        }
        KeyCode::Enter | KeyCode::Char('q' | 'i') => desk.overlay = None,
        _ => {}
    }
    Vec::new()
}

//! The link with which others join a channel: made, shown, ended.

use super::group;
use crate::cmd::Cmd;
use crate::data::devices::Code;
use crate::data::{Kind, Role};
use crate::model::{Model, Overlay};
use aside_protocol::AccountId;
use crossterm::event::{KeyCode, KeyEvent};

/// Shows the link of the channel whose members are shown.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    let kind = group::may(model, Role::Admin).and_then(|members| Some((members.peer, members.group.as_ref()?.kind)));
    match kind {
        Some((peer, Kind::Channel)) => {
            model.desk_mut().into_iter().for_each(|desk| desk.overlay = Some(Overlay::Link { peer, link: None }));
            vec![Cmd::ShowLink(peer)]
        }
        Some(_) => {
            model.say("Only channels are joined by a link. Add people with a.");
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// It was read, or there is none.
pub(super) fn heard(model: &mut Model, about: AccountId, result: Result<Code, String>) {
    let Some(desk) = model.desk_mut() else { return };
    let Some(Overlay::Link { peer, link }) = &mut desk.overlay else { return };
    if *peer != about {
        return;
    }
    match result {
        Ok(code) => *link = Some(code),
        Err(why) => {
            desk.overlay = None;
            model.say(why);
        }
    }
}

/// `x` ends the link.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let Some(Overlay::Link { peer, link }) = &desk.overlay else { return Vec::new() };
    let (peer, known) = (*peer, link.is_some());
    match key.code {
        KeyCode::Char('x') if known => {
            desk.overlay = None;
            model.say("The link is over: nobody joins with it any more.");
            vec![Cmd::DropLink(peer)]
        }
        KeyCode::Enter | KeyCode::Char('q') => {
            desk.overlay = None;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

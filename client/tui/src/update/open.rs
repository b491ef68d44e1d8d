//! A conversation is opened.

use crate::cmd::{Cmd, Span};
use crate::data::{Chat, Kind};
use crate::layout;
use crate::model::{Conversation, Focus, Model};
use aside_protocol::AccountId;

/// Opens the conversation with an account. `name` is for one that the list does not have yet.
pub(super) fn open(model: &mut Model, peer: AccountId, name: Option<String>) -> Vec<Cmd> {
    let mut cmds: Vec<Cmd> = super::send::save_draft(model).into_iter().collect();
    let size = model.size;
    let Some(desk) = model.desk_mut() else { return cmds };
    desk.focus = Focus::Composer;
    desk.overlay = None;
    desk.cursor = Some(peer);
    if desk.open.as_ref().is_some_and(|open| open.peer == peer) {
        return cmds;
    }
    let known = desk.chat(&peer).map(|chat| (chat.name.clone(), chat.kind));
    let history = layout::areas(size, desk).history;
    desk.turns += 1;
    let (name, kind) = known.unwrap_or((name.unwrap_or_default(), Kind::Direct));
    let mut conversation = Conversation::new(peer, desk.turns, (name, kind), (history.width, history.height));
    cmds.extend(conversation.load(Span::Unread));
    if kind == Kind::Group {
        cmds.push(Cmd::LookAtReceipts(peer));
    }
    desk.open = Some(conversation);
    cmds
}

/// Opens the chat so many lines further down.
pub(super) fn next(model: &mut Model, by: isize) -> Vec<Cmd> {
    let Some(desk) = model.desk() else { return Vec::new() };
    let Some(last) = desk.list().len().checked_sub(1) else { return Vec::new() };
    let at = |peer: AccountId| desk.list().iter().position(|chat| chat.peer == peer);
    let index = match desk.open.as_ref().and_then(|open| at(open.peer)) {
        Some(index) => index.saturating_add_signed(by).min(last),
        None => desk.cursor_index(),
    };
    let peer = desk.list()[index].peer;
    open(model, peer, None)
}

/// Opens the next chat below, and then from the top, that has something unread and is not muted.
pub(super) fn next_unread(model: &mut Model) -> Vec<Cmd> {
    let Some(desk) = model.desk() else { return Vec::new() };
    let present = desk.open.as_ref().map(|open| open.peer);
    let start = desk.list().iter().position(|chat| Some(chat.peer) == present).map_or(0, |index| index + 1);
    let (before, after) = desk.list().split_at(start.min(desk.list().len()));
    let unread = |chat: &&Chat| chat.unread > 0 && !chat.muted && Some(chat.peer) != present;
    match after.iter().chain(before).find(unread).map(|chat| chat.peer) {
        Some(peer) => open(model, peer, None),
        None => {
            model.say("Nothing is unread.");
            Vec::new()
        }
    }
}

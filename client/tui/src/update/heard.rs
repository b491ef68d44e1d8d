//! What comes from outside: time, size, focus, and results of commands.

use super::{chooser, devices, group, is_looking, link, open, readers, send, switcher};
use crate::cmd::Cmd;
use crate::data::{Chat, Link, Me, Page};
use crate::layout;
use crate::model::overlay::Members;
use crate::model::{Desk, Model, Overlay, Stage};
use crate::msg::Msg;
use crate::setup::Setup;
use aside_protocol::{AccountId, Millis};

pub(super) fn heard(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    match msg {
        Msg::Resize(columns, rows) => model.size = (columns, rows),
        Msg::Focus(focused) => model.focused = focused,
        Msg::Tick(now) => return tick(model, now),
        Msg::Opened { me, wanted } => return opened(model, me, wanted),
        Msg::Closed(closed) => model.stage = Stage::Closed(closed),
        Msg::Changed => return changed(model),
        Msg::Link(link) => return linked(model, link),
        Msg::Chats(chats) => return listed(model, chats),
        Msg::Loaded { peer, turn, page, draft } => return loaded(model, (peer, turn), page, draft),
        Msg::Info(about, known) => {
            if let Some(Overlay::Info { peer, info, .. }) = overlay(model)
                && *peer == about
            {
                *info = Some(known);
            }
        }
        Msg::Unsent(about, unsent, reason) => {
            if let Some(Overlay::Unsent { peer, items, why, cursor }) = overlay(model)
                && *peer == about
            {
                // The one that was chosen stays chosen, however many went out before it.
                let chosen = items.as_ref().and_then(|items| items.get(*cursor)).map(|item| item.row);
                let at = unsent.iter().position(|item| Some(item.row) == chosen);
                *cursor = at.unwrap_or(*cursor).min(unsent.len().saturating_sub(1));
                (*items, *why) = (Some(unsent), reason);
            }
        }
        Msg::Group(about, known) => group::heard(model, about, known),
        Msg::Readers(about, known) => readers::heard(model, about, known),
        Msg::ChannelLink(about, result) => link::heard(model, about, result),
        Msg::Devices(known) => devices::heard(model, known),
        Msg::Admission(admission) => devices::come(model, admission),
        Msg::Moving(moving) => model.moving = moving,
        Msg::Made(result) => return chooser::made(model, result),
        Msg::Denied(why) => model.say(why),
        Msg::Refused { peer, text, why } => refused(model, peer, text, why),
        Msg::Withdrawn(peer, result) => return withdrawn(model, peer, result),
        Msg::Found(name, result) => return found(model, name, result),
        Msg::Failed(why) => {
            model.doubt = true;
            model.say(why);
        }
        Msg::Setup(heard) => match &mut model.stage {
            Stage::Setup(setup) => setup.heard(heard),
            stage => *stage = Stage::Setup(Box::new(Setup::begin(heard))),
        },
        Msg::Key(_) | Msg::Paste(_) | Msg::Mouse(_) => {}
    }
    Vec::new()
}

fn overlay(model: &mut Model) -> Option<&mut Overlay> {
    model.desk_mut().and_then(|desk| desk.overlay.as_mut())
}

/// Time passes: old sentences go, and what is being written is kept.
fn tick(model: &mut Model, now: Millis) -> Vec<Cmd> {
    model.now = now;
    if model.note.as_ref().is_some_and(|(_, until)| *until < now) {
        model.note = None;
    }
    let mended = if std::mem::take(&mut model.doubt) { mend(model) } else { Vec::new() };
    // Before the draft in the store is known, what is typed must not take its place.
    let known = model.open_mut().is_some_and(|open| open.page.is_some());
    let draft = if known { send::save_draft(model) } else { None };
    draft.into_iter().chain(mended).collect()
}

/// Something failed: all that is shown is read anew, and what may not be stored is stored again.
fn mend(model: &mut Model) -> Vec<Cmd> {
    if let Some(desk) = model.desk_mut() {
        desk.loading = None;
        desk.open.iter_mut().for_each(|open| open.doubt());
    }
    changed(model)
}

fn opened(model: &mut Model, me: Me, wanted: Option<String>) -> Vec<Cmd> {
    let mut desk = Desk { wanted, ..Desk::new(me) };
    desk.loading = Some(false);
    model.stage = Stage::Desk(Box::new(desk));
    vec![Cmd::LoadChats]
}

/// Reads the list and the open conversation anew, each once at a time.
fn changed(model: &mut Model) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let mut cmds = Vec::new();
    match &mut desk.loading {
        Some(outdated) => *outdated = true,
        idle => {
            *idle = Some(false);
            cmds.push(Cmd::LoadChats);
        }
    }
    cmds.extend(desk.open.as_mut().and_then(|open| open.reload()));
    match &desk.overlay {
        Some(Overlay::Unsent { peer, .. }) => cmds.push(Cmd::LoadUnsent(*peer)),
        Some(Overlay::Group(Members { peer, .. })) => cmds.push(Cmd::LoadGroup(*peer)),
        Some(Overlay::Devices(_)) => cmds.push(Cmd::LoadDevices),
        Some(Overlay::Readers { peer, row, .. }) => cmds.push(Cmd::LoadReaders { peer: *peer, row: *row }),
        _ => {}
    }
    cmds
}

/// A connection that needs a person says so at once.
fn linked(model: &mut Model, link: Link) -> Vec<Cmd> {
    let stopped = matches!(link, Link::Stopped { .. }) && model.link != link;
    model.link = link;
    // Nobody's letters shall end up in what opens by itself.
    let writing = model.open_mut().is_some_and(|open| !open.composer.is_empty());
    if let Some(desk) = model.desk_mut().filter(|desk| stopped && !writing && desk.overlay.is_none()) {
        desk.overlay = Some(Overlay::Connection);
    }
    Vec::new()
}

fn listed(model: &mut Model, chats: Vec<Chat>) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    desk.chats = Some(chats);
    let outdated = desk.loading.take() == Some(true);
    let successor = name_open_conversation(desk);
    if outdated {
        desk.loading = Some(false);
    }
    let wanted = desk.wanted.take();
    if desk.overlay.is_some() {
        switcher::refresh(model);
        chooser::refresh(model);
    }
    let mut cmds = if outdated { vec![Cmd::LoadChats] } else { Vec::new() };
    cmds.extend(wanted.map(|name| switcher::go(model, &name)).unwrap_or_default());
    cmds.extend(successor.map(|peer| open::open(model, peer, None)).unwrap_or_default());
    cmds
}

/// The open conversation gets the name that the list has. Whose new key was accepted is another account under the same
/// name: that one is returned.
fn name_open_conversation(desk: &mut Desk) -> Option<AccountId> {
    let open = desk.open.as_mut()?;
    let chats = desk.chats.as_deref().unwrap_or_default();
    if let Some(chat) = chats.iter().find(|chat| chat.peer == open.peer) {
        open.name.clone_from(&chat.name);
        open.kind = chat.kind;
        return None;
    }
    chats.iter().find(|chat| chat.name == open.name).map(|chat| chat.peer)
}

fn loaded(model: &mut Model, (peer, turn): (AccountId, u64), page: Page, draft: String) -> Vec<Cmd> {
    // Where nothing fits nothing is looked at, but nobody has turned away either.
    let looking = is_looking(model) || layout::is_too_small(model.size);
    let zone = model.zone.clone();
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let Desk { me, open, returned, .. } = desk;
    // What an earlier opening asked for may have been read before its draft was stored.
    let Some(open) = open.as_mut().filter(|open| (open.peer, open.turn) == (peer, turn)) else { return Vec::new() };
    let outdated = open.loading.take() == Some(true);
    let eager = std::mem::take(&mut open.eager) && draft.is_empty();
    open.loaded(page, draft, looking, &me.name, &zone);
    returned.retain(|(whose, text)| *whose != peer || open.composer.give_back(text).is_err());
    let mut cmds: Vec<Cmd> = if outdated { open.reload().into_iter().collect() } else { Vec::new() };
    if eager {
        cmds.extend(send::send(model));
    }
    cmds
}

/// The text goes back to where it was written, before what was begun since, or waits until its chat is opened again.
fn refused(model: &mut Model, peer: AccountId, text: String, why: String) {
    model.say(why);
    let Some(desk) = model.desk_mut() else { return };
    let open = desk.open.as_mut().filter(|open| open.peer == peer && open.page.is_some());
    if open.is_none_or(|open| open.composer.give_back(&text).is_err()) {
        desk.returned.push((peer, text));
    }
}

fn withdrawn(model: &mut Model, peer: AccountId, result: Result<(), String>) -> Vec<Cmd> {
    match result {
        Ok(()) => model.say("Taken back."),
        Err(why) => model.say(why),
    }
    vec![Cmd::LoadUnsent(peer)]
}

fn found(model: &mut Model, name: String, result: Result<AccountId, String>) -> Vec<Cmd> {
    if let Some(Overlay::Chooser(_)) = overlay(model) {
        return chooser::found(model, &name, result);
    }
    let Some(Overlay::Switcher(switcher)) = overlay(model) else { return Vec::new() };
    if switcher.looking.as_ref() != Some(&name) {
        return Vec::new();
    }
    switcher.looking = None;
    match result {
        Ok(peer) => return open::open(model, peer, Some(name)),
        Err(why) => switcher.failed = Some(why),
    }
    Vec::new()
}

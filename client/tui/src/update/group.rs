//! Who is in a group or channel, and changing that. What cannot be taken back by a key is asked about first.

use crate::cmd::Cmd;
use crate::data::{Group, GroupChange, Member, Role};
use crate::model::overlay::{Asking, Members};
use crate::model::{Model, Overlay};
use aside_protocol::AccountId;
use aside_protocol::limits::MAX_TITLE;
use crossterm::event::{KeyCode, KeyEvent};

/// Rows that a page key moves by.
const PAGE: isize = 8;

/// Shows a group.
pub(super) fn open(model: &mut Model, peer: AccountId) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    desk.overlay = Some(Overlay::Group(Members { peer, group: None, cursor: 0, asking: None }));
    vec![Cmd::LoadGroup(peer)]
}

/// It was read; whoever was chosen stays chosen.
pub(super) fn heard(model: &mut Model, peer: AccountId, known: Group) {
    let Some(members) = shown(model).filter(|members| members.peer == peer) else { return };
    let chosen = chosen(members).map(|member| member.account);
    let at = known.members.iter().position(|member| Some(member.account) == chosen);
    members.cursor = at.unwrap_or(members.cursor).min(known.members.len().saturating_sub(1));
    members.group = Some(known);
}

/// Moving, answers to questions, the new name.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let Some(members) = shown(model) else { return Vec::new() };
    match members.asking.take() {
        Some(Asking::Rename(title)) => write_title(members, title, key.code),
        Some(asking) => answer(model, asking, key.code),
        None => {
            move_by(model, key.code);
            Vec::new()
        }
    }
}

fn move_by(model: &mut Model, code: KeyCode) {
    let by = match code {
        KeyCode::Up => -1,
        KeyCode::Down => 1,
        KeyCode::PageUp => -PAGE,
        KeyCode::PageDown => PAGE,
        KeyCode::Enter | KeyCode::Char('q' | 'i') => {
            model.desk_mut().into_iter().for_each(|desk| desk.overlay = None);
            return;
        }
        _ => return,
    };
    if let Some(members) = shown(model) {
        let last = members.group.as_ref().map_or(0, |group| group.members.len().saturating_sub(1));
        members.cursor = members.cursor.saturating_add_signed(by).min(last);
    }
}

fn write_title(members: &mut Members, mut title: String, code: KeyCode) -> Vec<Cmd> {
    match code {
        KeyCode::Enter if !title.trim().is_empty() => {
            return vec![change(members.peer, GroupChange::Rename(title.trim().to_owned()))];
        }
        KeyCode::Backspace => _ = title.pop(),
        KeyCode::Char(letter) if title.len() + letter.len_utf8() <= MAX_TITLE && !letter.is_control() => {
            title.push(letter);
        }
        _ => {}
    }
    members.asking = Some(Asking::Rename(title));
    Vec::new()
}

/// `y` does it, anything else does not.
fn answer(model: &mut Model, asking: Asking, code: KeyCode) -> Vec<Cmd> {
    let Some(peer) = shown(model).map(|members| members.peer) else { return Vec::new() };
    if code != KeyCode::Char('y') {
        return Vec::new();
    }
    match asking {
        Asking::Remove(account, _) => vec![change(peer, GroupChange::Remove(account))],
        Asking::Owner(account, _) => vec![change(peer, GroupChange::Role(account, Role::Owner))],
        Asking::Leave => {
            model.desk_mut().into_iter().for_each(|desk| desk.overlay = None);
            vec![change(peer, GroupChange::Leave)]
        }
        Asking::Rename(_) => Vec::new(),
    }
}

/// Asks whether to remove the chosen one.
pub(super) fn remove(model: &mut Model) -> Vec<Cmd> {
    let Some(who) = may(model, Role::Admin).and_then(|members| chosen(members).cloned()) else { return Vec::new() };
    if who.own {
        return leave(model);
    }
    ask(model, Asking::Remove(who.account, who.name))
}

/// Gives the chosen one a role; asks before somebody becomes an owner.
pub(super) fn give_role(model: &mut Model, role: Role) -> Vec<Cmd> {
    let Some(members) = may(model, Role::Owner) else { return Vec::new() };
    let peer = members.peer;
    match chosen(members).cloned() {
        Some(who) if who.role == role => Vec::new(),
        Some(who) if role == Role::Owner => ask(model, Asking::Owner(who.account, who.name)),
        Some(who) => vec![change(peer, GroupChange::Role(who.account, role))],
        None => Vec::new(),
    }
}

/// Asks for the new name, beginning with the present one.
pub(super) fn rename(model: &mut Model) -> Vec<Cmd> {
    let title = may(model, Role::Admin).and_then(|members| members.group.as_ref()).map(|group| group.title.clone());
    title.map(|title| ask(model, Asking::Rename(title))).unwrap_or_default()
}

/// Asks whether to leave.
pub(super) fn leave(model: &mut Model) -> Vec<Cmd> {
    if may(model, Role::Member).is_some() { ask(model, Asking::Leave) } else { Vec::new() }
}

fn ask(model: &mut Model, asking: Asking) -> Vec<Cmd> {
    if let Some(members) = shown(model) {
        members.asking = Some(asking);
    }
    Vec::new()
}

/// The group shown, if the user may do what needs a role; else says who may.
pub(super) fn may(model: &mut Model, needed: Role) -> Option<&mut Members> {
    let own = shown(model)?.group.as_ref()?.role;
    match own {
        Some(own) if own >= needed => return shown(model),
        None => model.say("You are not in it any more."),
        Some(_) if needed == Role::Owner => model.say("Only owners may do this."),
        Some(_) => model.say("Only owners and admins may do this."),
    }
    None
}

fn shown(model: &mut Model) -> Option<&mut Members> {
    match model.desk_mut()?.overlay.as_mut()? {
        Overlay::Group(members) => Some(members),
        _ => None,
    }
}

fn chosen(members: &Members) -> Option<&Member> {
    members.group.as_ref()?.members.get(members.cursor)
}

fn change(peer: AccountId, change: GroupChange) -> Cmd {
    Cmd::ChangeGroup { peer, change }
}

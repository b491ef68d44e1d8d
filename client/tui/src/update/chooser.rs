//! A group or channel is made, or people are added to one: title first, then people by some letters of their names.

use super::{group, open, switcher};
use crate::cmd::Cmd;
use crate::data::{Chat, GroupChange, Kind, Role};
use crate::model::overlay::{Chooser, Purpose};
use crate::model::{Model, Overlay};
use aside_protocol::AccountId;
use aside_protocol::limits::MAX_TITLE;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Begins a new group.
pub(super) fn open_new(model: &mut Model) -> Vec<Cmd> {
    show(model, Purpose::Title(Kind::Group));
    Vec::new()
}

/// Begins adding people to the group that is shown.
pub(super) fn open_add(model: &mut Model) -> Vec<Cmd> {
    if let Some(peer) = group::may(model, Role::Admin).map(|members| members.peer) {
        show(model, Purpose::Add(peer));
    }
    Vec::new()
}

fn show(model: &mut Model, purpose: Purpose) {
    let Some(desk) = model.desk_mut() else { return };
    let hits = people(desk.list(), "", &[]);
    let (query, chosen, looking, failed) = (String::new(), Vec::new(), None, None);
    desk.overlay = Some(Overlay::Chooser(Chooser { purpose, query, hits, cursor: 0, chosen, looking, failed }));
}

/// Typing, choosing, making.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let ctrl = key.modifiers == KeyModifiers::CONTROL;
    match key.code {
        KeyCode::Enter => return enter(model),
        KeyCode::Tab => other_kind(model),
        KeyCode::Up => move_by(model, -1),
        KeyCode::Down => move_by(model, 1),
        KeyCode::Char('u') if ctrl => change(model, String::clear),
        KeyCode::Backspace => back(model),
        KeyCode::Char(letter) if plain && !letter.is_control() => change(model, |query| query.push(letter)),
        _ => {}
    }
    Vec::new()
}

/// Pasted text counts as typed.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Cmd> {
    let line = text.lines().next().unwrap_or("").trim().replace(char::is_control, "");
    change(model, |query| query.push_str(&line));
    Vec::new()
}

/// The list of chats is another one.
pub(super) fn refresh(model: &mut Model) {
    change(model, |_| {});
}

/// What became of a name that was looked up.
pub(super) fn found(model: &mut Model, name: &str, result: Result<AccountId, String>) -> Vec<Cmd> {
    let Some(chooser) = shown(model).filter(|chooser| chooser.looking.as_deref() == Some(name)) else {
        return Vec::new();
    };
    chooser.looking = None;
    match result {
        Ok(account) => take(model, account, name.to_owned()),
        Err(why) => chooser.failed = Some(why),
    }
    Vec::new()
}

/// It was made, and is opened; or why not.
pub(super) fn made(model: &mut Model, result: Result<AccountId, String>) -> Vec<Cmd> {
    match result {
        Ok(peer) => {
            let mut cmds = vec![Cmd::LoadChats];
            cmds.extend(open::open(model, peer, None));
            cmds
        }
        Err(why) => {
            switcher::refused(model);
            model.say(why);
            Vec::new()
        }
    }
}

/// With a title: on to the people. With letters: takes the chosen one, or looks the name up. With none: done.
fn enter(model: &mut Model) -> Vec<Cmd> {
    let Some(chooser) = shown(model) else { return Vec::new() };
    if let Purpose::Title(kind) = chooser.purpose {
        match chooser.query.trim() {
            "" => chooser.failed = Some("Give it a name first.".into()),
            title => {
                let title = title.to_owned();
                show(model, Purpose::Make(kind, title));
            }
        }
        return Vec::new();
    }
    if chooser.query.trim().is_empty() && chooser.cursor == 0 {
        return finish(model);
    }
    match hit(chooser) {
        Some(account) => {
            let known = model.desk().and_then(|desk| desk.chat(&account)).map(|chat| chat.name.clone());
            take(model, account, known.unwrap_or_default());
            Vec::new()
        }
        None => look_up(chooser),
    }
}

/// The line the cursor is on; without letters the first line is the one that ends choosing.
fn hit(chooser: &Chooser) -> Option<AccountId> {
    let index = if chooser.query.trim().is_empty() { chooser.cursor.checked_sub(1)? } else { chooser.cursor };
    chooser.hits.get(index).copied()
}

fn look_up(chooser: &mut Chooser) -> Vec<Cmd> {
    let name = chooser.query.trim().to_owned();
    if name.is_empty() {
        return Vec::new();
    }
    chooser.failed = None;
    chooser.looking = Some(name.clone());
    vec![Cmd::LookUp(name)]
}

fn take(model: &mut Model, account: AccountId, name: String) {
    let own = model.desk().is_some_and(|desk| desk.me.account == account);
    let Some(chooser) = shown(model) else { return };
    if own {
        chooser.failed = Some("You are in it yourself.".into());
        return;
    }
    if !chooser.chosen.iter().any(|(chosen, _)| *chosen == account) {
        chooser.chosen.push((account, name));
    }
    change(model, String::clear);
}

/// Everybody is chosen: makes the group, or adds them.
fn finish(model: &mut Model) -> Vec<Cmd> {
    let Some(chooser) = shown(model) else { return Vec::new() };
    let accounts: Vec<AccountId> = chooser.chosen.iter().map(|(account, _)| *account).collect();
    let cmd = match chooser.purpose.clone() {
        Purpose::Title(_) => return Vec::new(),
        Purpose::Make(kind, title) => Cmd::MakeGroup { kind, title, members: accounts },
        Purpose::Add(_) if accounts.is_empty() => {
            chooser.failed = Some("Choose somebody first.".into());
            return Vec::new();
        }
        Purpose::Add(peer) => Cmd::ChangeGroup { peer, change: GroupChange::Add(accounts) },
    };
    let back = match &cmd {
        Cmd::ChangeGroup { peer, .. } => group::open(model, *peer),
        _ => {
            model.desk_mut().into_iter().for_each(|desk| desk.overlay = None);
            Vec::new()
        }
    };
    std::iter::once(cmd).chain(back).collect()
}

/// Takes back the last letter, or the last person chosen.
fn back(model: &mut Model) {
    match shown(model) {
        Some(chooser) if chooser.query.is_empty() => drop(chooser.chosen.pop()),
        _ => {}
    }
    change(model, |query| _ = query.pop());
}

fn other_kind(model: &mut Model) {
    if let Some(Chooser { purpose: Purpose::Title(kind), .. }) = shown(model) {
        *kind = if *kind == Kind::Group { Kind::Channel } else { Kind::Group };
    }
}

fn move_by(model: &mut Model, by: isize) {
    if let Some(chooser) = shown(model) {
        // With letters the line after the last hit looks them up; without, the line before the first is the end.
        chooser.cursor = chooser.cursor.saturating_add_signed(by).min(chooser.hits.len());
    }
}

fn change(model: &mut Model, edit: impl FnOnce(&mut String)) {
    let Some(desk) = model.desk_mut() else { return };
    let Some(Overlay::Chooser(chooser)) = &mut desk.overlay else { return };
    let before = chooser.query.clone();
    edit(&mut chooser.query);
    while chooser.query.len() > MAX_TITLE {
        chooser.query.pop();
    }
    if before != chooser.query {
        (chooser.failed, chooser.looking, chooser.cursor) = (None, None, 0);
    }
    chooser.hits = people(desk.chats.as_deref().unwrap_or_default(), &chooser.query, &chooser.chosen);
    chooser.cursor = chooser.cursor.min(chooser.hits.len());
}

/// People with whom there is a chat, and who are not chosen yet, the best first.
fn people(chats: &[Chat], query: &str, chosen: &[(AccountId, String)]) -> Vec<AccountId> {
    let free = |chat: &&Chat| {
        chat.kind == Kind::Direct && !chat.key_changed && !chosen.iter().any(|(account, _)| *account == chat.peer)
    };
    switcher::fitting(chats.iter().filter(free).map(|chat| (chat.peer, chat.name.clone())), query)
}

fn shown(model: &mut Model) -> Option<&mut Chooser> {
    match model.desk_mut()?.overlay.as_mut()? {
        Overlay::Chooser(chooser) => Some(chooser),
        _ => None,
    }
}

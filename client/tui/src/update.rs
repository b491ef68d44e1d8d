//! (model, what happened) to what must be done. One file an action; nothing here waits or draws.

mod back;
mod choose;
mod chooser;
mod connection;
mod delete;
mod devices;
mod group;
mod heard;
mod help;
mod info;
mod interrupt;
mod link;
mod mute;
mod open;
mod page;
mod readers;
mod send;
mod switcher;
mod type_text;
mod unsent;

#[cfg(test)]
mod tests;

pub(crate) use switcher::{is_link, name as wanted_name};

use crate::cmd::Cmd;
use crate::data::Role;
use crate::keymap::{self, Piece, Place};
use crate::layout;
use crate::model::{Focus, Model, Overlay, Stage};
use crate::msg::Msg;
use crossterm::event::{KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind};
use ratatui_textarea::CursorMove;

/// Rows that one notch of the wheel scrolls.
const NOTCH: isize = 3;

/// What a key can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Open the switcher.
    Switcher,
    /// Open the chat so many lines further down the list.
    NextChat(isize),
    /// Open the next chat with something unread.
    NextUnread,
    /// Scroll by so many screens.
    Page(isize),
    /// Scroll to the newest message.
    ToEnd,
    /// Show what is known of the contact.
    Info,
    /// Show what was not sent.
    Unsent,
    /// Make a group or channel.
    NewGroup,
    /// Show who has received and read a message.
    Readers,
    /// Add people to the group shown.
    AddMembers,
    /// Remove the chosen member.
    RemoveMember,
    /// Give the chosen member a role.
    GiveRole(Role),
    /// Call the group by another name.
    Rename,
    /// Leave the group.
    Leave,
    /// Show the link of the channel shown.
    ShowLink,
    /// Show the user's devices.
    Devices,
    /// Let another device in.
    Admit,
    /// Remove the chosen device.
    Revoke,
    /// Mute the open chat, or end that.
    Mute,
    /// Show how things stand with the relay.
    Connection,
    /// Show the keys.
    Help,
    /// Show the keys if nothing is written, else type a question mark.
    HelpOrType,
    /// Move the list's cursor.
    Choose(isize),
    /// Open the chosen chat.
    Open,
    /// Send what is written.
    Send,
    /// Break the line.
    Break,
    /// Back to the list.
    Back,
    /// Move the composer's cursor.
    Move(CursorMove),
    /// Delete a part of what is written.
    Delete(Piece),
    /// Put back what was deleted last.
    Yank,
    /// Undo the last change.
    Undo,
    /// Close the overlay.
    Close,
    /// Draw everything anew.
    Redraw,
    /// Give the terminal back and stop.
    Suspend,
    /// Leave, if done twice.
    Interrupt,
}

/// Takes what happened; returns what must be done for it.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    let mut cmds = match msg {
        Msg::Key(key) if key.kind != KeyEventKind::Release => press(model, &key),
        Msg::Key(_) => Vec::new(),
        Msg::Paste(text) => paste(model, &text),
        Msg::Mouse(mouse) => match mouse.kind {
            MouseEventKind::ScrollUp => page::scroll(model, -NOTCH),
            MouseEventKind::ScrollDown => page::scroll(model, NOTCH),
            _ => Vec::new(),
        },
        other => heard::heard(model, other),
    };
    layout::fit(model);
    cmds.extend(mark_read(model));
    cmds
}

/// The program is to end, and not by a key: what is being written is kept.
pub fn leave(model: &mut Model) -> Vec<Cmd> {
    interrupt::leave(model)
}

fn press(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    match keymap::action(&[Place::Anywhere], key) {
        // The first run and the plain screens have their own way of leaving.
        Some(Action::Interrupt) if matches!(model.stage, Stage::Setup(_) | Stage::Closed(_)) => {}
        Some(action) => return act(model, action),
        None => model.leaving = None,
    }
    match &mut model.stage {
        Stage::Opening => Vec::new(),
        Stage::Setup(setup) => setup.key(*key),
        Stage::Closed(closed) => closed.key(*key),
        Stage::Desk(desk) => {
            if desk.overlay.is_some() {
                return in_overlay(model, key);
            }
            let half = match desk.focus {
                Focus::List => Place::List,
                Focus::Composer => Place::Composer,
            };
            match keymap::action(&[half, Place::Desk], key) {
                Some(action) => act(model, action),
                None => type_text::key(model, key),
            }
        }
    }
}

fn in_overlay(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    if let Some(action) = keymap::action(&[Place::Overlay], key) {
        return act(model, action);
    }
    let plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    match model.desk().and_then(|desk| desk.overlay.as_ref()) {
        Some(Overlay::Switcher(_)) => switcher::key(model, key),
        Some(Overlay::Chooser(_)) => chooser::key(model, key),
        // Keys that decide something here mean something else with Ctrl or Alt.
        _ if !plain => Vec::new(),
        Some(Overlay::Help(_)) => help::key(model, key),
        Some(Overlay::Info { .. }) => info::key(model, key),
        Some(Overlay::Unsent { .. }) => unsent::key(model, key),
        Some(Overlay::Group(members)) => match keymap::action(&[Place::Members], key) {
            Some(action) if members.asking.is_none() => act(model, action),
            _ => group::key(model, key),
        },
        Some(Overlay::Readers { .. }) => readers::key(model, key),
        Some(Overlay::Link { .. }) => link::key(model, key),
        Some(Overlay::Devices(devices)) => match keymap::action(&[Place::Devices], key) {
            Some(action) if devices.is_idle() => act(model, action),
            _ => devices::key(model, key),
        },
        Some(Overlay::Connection) => connection::key(model, key),
        None => Vec::new(),
    }
}

fn act(model: &mut Model, action: Action) -> Vec<Cmd> {
    match action {
        Action::Switcher => switcher::open(model),
        Action::NextChat(by) => open::next(model, by),
        Action::NextUnread => open::next_unread(model),
        Action::Page(screens) => page::by_screens(model, screens),
        Action::ToEnd => page::to_end(model),
        Action::Info => info::open(model),
        Action::Unsent => unsent::open(model),
        Action::NewGroup => chooser::open_new(model),
        Action::Readers => readers::open(model),
        Action::AddMembers => chooser::open_add(model),
        Action::RemoveMember => group::remove(model),
        Action::GiveRole(role) => group::give_role(model, role),
        Action::Rename => group::rename(model),
        Action::Leave => group::leave(model),
        Action::ShowLink => link::open(model),
        Action::Devices => devices::open(model),
        Action::Admit => devices::admit(model),
        Action::Revoke => devices::revoke(model),
        Action::Mute => mute::toggle(model),
        Action::Connection => connection::open(model),
        Action::Help => help::open(model),
        Action::HelpOrType => help::open_or_type(model),
        Action::Choose(by) => choose::by(model, by),
        Action::Open => choose::open(model),
        Action::Send => send::send(model),
        Action::Break => type_text::edit(model, |area| area.insert_newline()),
        Action::Back => back::back(model),
        Action::Move(to) => type_text::edit(model, |area| area.move_cursor(to)),
        Action::Delete(piece) => delete::delete(model, piece),
        Action::Yank => type_text::edit(model, |area| _ = area.paste()),
        Action::Undo => type_text::edit(model, |area| _ = area.undo()),
        Action::Close => back::close(model),
        Action::Redraw => vec![Cmd::Redraw],
        Action::Suspend => vec![Cmd::Suspend],
        Action::Interrupt => interrupt::interrupt(model),
    }
}

fn paste(model: &mut Model, text: &str) -> Vec<Cmd> {
    match &mut model.stage {
        Stage::Setup(setup) => setup.paste(text),
        Stage::Desk(desk) if matches!(desk.overlay, Some(Overlay::Switcher(_))) => return switcher::paste(model, text),
        Stage::Desk(desk) if matches!(desk.overlay, Some(Overlay::Chooser(_))) => return chooser::paste(model, text),
        Stage::Desk(desk) if desk.overlay.is_none() => return type_text::paste(model, text),
        _ => {}
    }
    Vec::new()
}

/// What is on the screen, under no overlay and in a terminal with the focus, is read.
fn mark_read(model: &mut Model) -> Vec<Cmd> {
    let looking = is_looking(model);
    model.open_mut().filter(|_| looking).map(|open| open.mark_read()).unwrap_or_default()
}

/// Whether somebody can see the open conversation.
fn is_looking(model: &Model) -> bool {
    let Some(desk) = model.desk() else { return false };
    model.focused && desk.overlay.is_none() && layout::shows_conversation(model.size, desk)
}

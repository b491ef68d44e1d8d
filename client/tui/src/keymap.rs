//! Which key does what: one table, from which the help is drawn too.

use crate::data::Role;
use crate::update::Action;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::CursorMove;

/// Where a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Wherever chats are shown, unless an overlay is open.
    Desk,
    /// While the composer has the keys.
    Composer,
    /// While the chat list has the keys.
    List,
    /// While the members of a group are shown.
    Members,
    /// While the user's devices are shown, and none is being let in.
    Devices,
    /// In every overlay.
    Overlay,
    /// Everywhere.
    Anywhere,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it counts.
    pub place: Place,
    /// Modifiers and key.
    pub chord: (KeyModifiers, KeyCode),
    /// How the key is written for people.
    pub key: &'static str,
    /// What it does.
    pub action: Action,
    /// What it does, for the help; empty lines are not in it.
    pub help: &'static str,
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

const fn bind(
    place: Place,
    chord: (KeyModifiers, KeyCode),
    key: &'static str,
    action: Action,
    help: &'static str,
) -> Binding {
    Binding { place, chord, key, action, help }
}

use Action as A;
use KeyCode as K;
use Place as P;

/// The table. The first line that fits counts.
pub const TABLE: &[Binding] = &[
    bind(P::Desk, (CTRL, K::Char('p')), "Ctrl-P", A::Switcher, "find a chat, or begin one by name"),
    bind(P::Desk, (ALT, K::Down), "Alt-Down", A::NextChat(1), "the next chat"),
    bind(P::Desk, (ALT, K::Up), "Alt-Up", A::NextChat(-1), "the chat before"),
    bind(P::Desk, (ALT, K::Char('a')), "Alt-A", A::NextUnread, "the next chat with something unread"),
    bind(P::Desk, (NONE, K::PageUp), "PageUp", A::Page(-1), "back in the history; the wheel does too"),
    bind(P::Desk, (NONE, K::PageDown), "PageDown", A::Page(1), "forward again"),
    bind(P::Desk, (CTRL, K::End), "Ctrl-End", A::ToEnd, "to the newest message"),
    bind(P::Desk, (ALT, K::Char('>')), "Alt->", A::ToEnd, ""),
    bind(P::Desk, (ALT, K::Char('.')), "Alt->", A::ToEnd, ""),
    bind(P::Desk, (ALT, K::Char('i')), "Alt-I", A::Info, "about this contact, or the members of this group"),
    bind(P::Desk, (ALT, K::Char('g')), "Alt-G", A::NewGroup, "make a group or channel"),
    bind(P::Desk, (ALT, K::Char('r')), "Alt-R", A::Readers, "who has received and read what you wrote"),
    bind(P::Desk, (ALT, K::Char('u')), "Alt-U", A::Unsent, "what was not sent: try again, or take it back"),
    bind(P::Desk, (ALT, K::Char('m')), "Alt-M", A::Mute, "mute this chat, or let it be heard again"),
    bind(P::Desk, (ALT, K::Char('l')), "Alt-L", A::Devices, "your devices: link another one, remove one"),
    bind(P::Desk, (ALT, K::Char('c')), "Alt-C", A::Connection, "the connection at length"),
    bind(P::Desk, (NONE, K::F(1)), "F1", A::Help, ""),
    bind(P::List, (NONE, K::Char('?')), "?", A::Help, "this help; so does F1"),
    bind(P::List, (NONE, K::Char('i')), "i", A::Info, ""),
    bind(P::List, (NONE, K::Up), "Up", A::Choose(-1), ""),
    bind(P::List, (NONE, K::Down), "Down", A::Choose(1), ""),
    bind(P::List, (NONE, K::Enter), "Enter", A::Open, ""),
    bind(P::List, (NONE, K::Right), "Right", A::Open, ""),
    bind(P::List, (NONE, K::Tab), "Tab", A::Open, ""),
    bind(P::Composer, (NONE, K::Enter), "Enter", A::Send, "send"),
    bind(
        P::Composer,
        (ALT, K::Enter),
        "Alt-Enter",
        A::Break,
        "a new line; Shift-Enter where the terminal tells it apart",
    ),
    bind(P::Composer, (SHIFT, K::Enter), "Shift-Enter", A::Break, ""),
    bind(P::Composer, (CTRL, K::Char('j')), "Ctrl-J", A::Break, ""),
    bind(P::Composer, (NONE, K::Char('?')), "?", A::HelpOrType, ""),
    bind(P::Composer, (NONE, K::Esc), "Esc", A::Back, "back to the list of chats"),
    bind(P::Composer, (NONE, K::Left), "Left", A::Move(CursorMove::Back), ""),
    bind(P::Composer, (CTRL, K::Char('b')), "Ctrl-B", A::Move(CursorMove::Back), ""),
    bind(P::Composer, (NONE, K::Right), "Right", A::Move(CursorMove::Forward), ""),
    bind(P::Composer, (CTRL, K::Char('f')), "Ctrl-F", A::Move(CursorMove::Forward), ""),
    bind(P::Composer, (NONE, K::Up), "Up", A::Move(CursorMove::Up), ""),
    bind(P::Composer, (NONE, K::Down), "Down", A::Move(CursorMove::Down), ""),
    bind(P::Composer, (CTRL, K::Char('n')), "Ctrl-N", A::Move(CursorMove::Down), ""),
    bind(P::Composer, (NONE, K::Home), "Home", A::Move(CursorMove::Head), ""),
    bind(P::Composer, (CTRL, K::Char('a')), "Ctrl-A", A::Move(CursorMove::Head), "start of the line; Ctrl-E its end"),
    bind(P::Composer, (NONE, K::End), "End", A::Move(CursorMove::End), ""),
    bind(P::Composer, (CTRL, K::Char('e')), "Ctrl-E", A::Move(CursorMove::End), ""),
    bind(P::Composer, (ALT, K::Char('b')), "Alt-B", A::Move(CursorMove::WordBack), ""),
    bind(P::Composer, (CTRL, K::Left), "Ctrl-Left", A::Move(CursorMove::WordBack), ""),
    bind(P::Composer, (ALT, K::Char('f')), "Alt-F", A::Move(CursorMove::WordForward), ""),
    bind(P::Composer, (CTRL, K::Right), "Ctrl-Right", A::Move(CursorMove::WordForward), ""),
    bind(P::Composer, (NONE, K::Backspace), "Backspace", A::Delete(Piece::CharBefore), ""),
    bind(P::Composer, (CTRL, K::Char('h')), "Ctrl-H", A::Delete(Piece::CharBefore), ""),
    bind(P::Composer, (NONE, K::Delete), "Delete", A::Delete(Piece::CharAfter), ""),
    bind(P::Composer, (CTRL, K::Char('d')), "Ctrl-D", A::Delete(Piece::CharAfter), ""),
    bind(
        P::Composer,
        (CTRL, K::Char('w')),
        "Ctrl-W",
        A::Delete(Piece::WordBefore),
        "delete a word; Ctrl-U to the start, Ctrl-K to the end",
    ),
    bind(P::Composer, (ALT, K::Backspace), "Alt-Backspace", A::Delete(Piece::WordBefore), ""),
    bind(P::Composer, (ALT, K::Char('d')), "Alt-D", A::Delete(Piece::WordAfter), ""),
    bind(P::Composer, (CTRL, K::Char('u')), "Ctrl-U", A::Delete(Piece::ToStart), ""),
    bind(P::Composer, (CTRL, K::Char('k')), "Ctrl-K", A::Delete(Piece::ToEnd), ""),
    bind(P::Composer, (CTRL, K::Char('y')), "Ctrl-Y", A::Yank, "put what was deleted back"),
    bind(P::Composer, (CTRL, K::Char('_')), "Ctrl-_", A::Undo, "undo"),
    bind(P::Composer, (CTRL, K::Char('7')), "Ctrl-_", A::Undo, ""),
    bind(P::Composer, (CTRL, K::Char('-')), "Ctrl-_", A::Undo, ""),
    bind(P::Composer, (CTRL, K::Char('/')), "Ctrl-/", A::Undo, ""),
    bind(P::Composer, (CTRL, K::Backspace), "Ctrl-Backspace", A::Delete(Piece::WordBefore), ""),
    bind(P::Members, (NONE, K::Char('a')), "a", A::AddMembers, "add people"),
    bind(P::Members, (NONE, K::Char('x')), "x", A::RemoveMember, "remove the chosen one"),
    bind(P::Members, (NONE, K::Char('m')), "m", A::GiveRole(Role::Member), "make the chosen one a member"),
    bind(P::Members, (NONE, K::Char('d')), "d", A::GiveRole(Role::Admin), "an admin"),
    bind(P::Members, (NONE, K::Char('o')), "o", A::GiveRole(Role::Owner), "an owner"),
    bind(P::Members, (NONE, K::Char('n')), "n", A::Rename, "call it by another name"),
    bind(P::Members, (NONE, K::Char('l')), "l", A::Leave, "leave"),
    bind(P::Members, (NONE, K::Char('k')), "k", A::ShowLink, "the link with which others join a channel"),
    bind(P::Devices, (NONE, K::Char('a')), "a", A::Admit, "let another machine of yours in"),
    bind(P::Devices, (NONE, K::Char('x')), "x", A::Revoke, "remove the chosen one for good"),
    bind(P::Overlay, (NONE, K::Esc), "Esc", A::Close, ""),
    bind(P::Anywhere, (CTRL, K::Char('l')), "Ctrl-L", A::Redraw, ""),
    bind(P::Anywhere, (CTRL, K::Char('z')), "Ctrl-Z", A::Suspend, "to the shell; fg comes back"),
    bind(P::Anywhere, (CTRL, K::Char('c')), "Ctrl-C", A::Interrupt, "twice leaves, as :quit does"),
];

/// A part of the text to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// One character back.
    CharBefore,
    /// One character on.
    CharAfter,
    /// One word back.
    WordBefore,
    /// One word on.
    WordAfter,
    /// To the start of the line.
    ToStart,
    /// To the end of the line.
    ToEnd,
}

/// What a key does in one of these places.
pub fn action(places: &[Place], key: &KeyEvent) -> Option<Action> {
    let chord = normal(key);
    let fits = |binding: &&Binding| places.contains(&binding.place) && binding.chord == chord;
    TABLE.iter().find(fits).map(|binding| binding.action)
}

/// Letters come without Shift: with Alt or Ctrl it makes no difference, and alone the letter says it.
fn normal(key: &KeyEvent) -> (KeyModifiers, KeyCode) {
    match key.code {
        KeyCode::Char(c) if key.modifiers.intersects(CTRL | ALT) && c.is_alphabetic() => {
            (key.modifiers - SHIFT, KeyCode::Char(c.to_ascii_lowercase()))
        }
        KeyCode::Char(_) | KeyCode::Backspace => (key.modifiers - SHIFT, key.code),
        code => (key.modifiers, code),
    }
}

//! Models for the tests of update and view.
#![allow(clippy::unwrap_used)]

use crate::data::{Author, Chat, Entry, Key, Kind, Link, Me, Page, Progress, Role, What};
use crate::model::Model;
use crate::{Cmd, Msg, update};
use aside_protocol::{AccountId, Millis};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;

/// Sunday, 22 November 2026, 14:05 UTC.
pub(crate) const NOW: Millis = Millis(1_795_356_300_000);

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::from_slice(&[number; 32]).unwrap()
}

pub(crate) fn chat(number: u8, name: &str, unread: u64) -> Chat {
    Chat {
        peer: account(number),
        name: name.into(),
        kind: Kind::Direct,
        role: None,
        unread,
        last: Some(format!("the last words of {name}")),
        last_own: false,
        last_by: None,
        time: Some(Millis(NOW.0 - u64::from(number) * 3_600_000)),
        pending: 0,
        draft: false,
        draft_elsewhere: false,
        key_changed: false,
        muted: false,
    }
}

pub(crate) fn key(place: u64) -> Key {
    Key { part: 0, place, row: i64::try_from(place).unwrap() }
}

pub(crate) fn entry(place: u64, what: What) -> Entry {
    Entry { key: key(place), time: Some(Millis(NOW.0 - 600_000 + place * 30_000)), what }
}

pub(crate) fn peer(place: u64, text: &str) -> Entry {
    entry(place, What::Peer { text: text.into(), by: None })
}

/// A text by somebody in a group.
pub(crate) fn by(place: u64, number: u8, name: &str, text: &str) -> Entry {
    let author = Author { account: account(number), name: name.into() };
    entry(place, What::Peer { text: text.into(), by: Some(author) })
}

/// A group or channel in the list.
pub(crate) fn group(number: u8, kind: Kind, title: &str, role: Option<Role>) -> Chat {
    Chat { kind, role, last_by: Some("carol".into()), ..chat(number, title, 0) }
}

pub(crate) fn own(place: u64, text: &str, progress: Progress) -> Entry {
    entry(place, What::Own { text: text.into(), progress })
}

pub(crate) fn page(entries: Vec<Entry>) -> Page {
    Page { entries, ..Page::default() }
}

pub(crate) fn me() -> Me {
    Me { account: account(99), name: "alice".into() }
}

/// Alice with three chats, the list read, connected.
pub(crate) fn desk(size: (u16, u16)) -> Model {
    let mut model = Model::new(size, NOW, TimeZone::UTC, true);
    update(&mut model, Msg::Opened { me: me(), wanted: None });
    update(&mut model, Msg::Link(Link::Online { transport: "QUIC", caught_up: true }));
    update(&mut model, Msg::Chats(vec![chat(1, "bob", 0), chat(2, "carol", 3), chat(3, "dave.the-long-named", 0)]));
    model
}

/// The same with bob's conversation open and read.
pub(crate) fn open(size: (u16, u16), page: Page) -> Model {
    let mut model = desk(size);
    press(&mut model, KeyCode::Enter);
    load(&mut model, page);
    model
}

/// The open conversation's read is answered.
pub(crate) fn load(model: &mut Model, page: Page) -> Vec<Cmd> {
    load_with(model, page, "")
}

/// The same, with a draft.
pub(crate) fn load_with(model: &mut Model, page: Page, draft: &str) -> Vec<Cmd> {
    let open = model.desk().unwrap().open.as_ref().unwrap();
    let (peer, turn) = (open.peer, open.turn);
    update(model, Msg::Loaded { peer, turn, page, draft: draft.into() })
}

pub(crate) fn press(model: &mut Model, code: KeyCode) -> Vec<Cmd> {
    update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

pub(crate) fn ctrl(model: &mut Model, letter: char) -> Vec<Cmd> {
    update(model, Msg::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)))
}

pub(crate) fn alt(model: &mut Model, code: KeyCode) -> Vec<Cmd> {
    update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::ALT)))
}

pub(crate) fn write(model: &mut Model, text: &str) {
    for letter in text.chars() {
        press(model, KeyCode::Char(letter));
    }
}

/// What is written.
pub(crate) fn written(model: &Model) -> String {
    model.desk().unwrap().open.as_ref().unwrap().composer.text()
}

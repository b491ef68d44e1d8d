//! Finding a chat by some letters of its name, or beginning one.

use crate::cmd::Cmd;
use crate::data::{Chat, Kind};
use crate::model::overlay::Switcher;
use crate::model::{Model, Overlay};
use aside_protocol::AccountId;
use aside_protocol::channel::{self, ChannelLink};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// The fewest digits of a group's id that name it.
const FEWEST_DIGITS: usize = 8;

/// Longest query that makes sense.
const LONGEST: usize = 64;

/// Longest link that makes sense.
const LONGEST_LINK: usize = 8 << 10;

/// Opens it, with all chats.
pub(super) fn open(model: &mut Model) -> Vec<Cmd> {
    if let Some(desk) = model.desk_mut() {
        let hits = hits(desk.list(), "");
        desk.overlay = Some(Overlay::Switcher(Switcher { hits, ..Switcher::default() }));
    }
    Vec::new()
}

/// Typing, choosing, opening.
pub(super) fn key(model: &mut Model, key: &KeyEvent) -> Vec<Cmd> {
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let ctrl = key.modifiers == KeyModifiers::CONTROL;
    match key.code {
        KeyCode::Enter => return choose(model),
        KeyCode::Up => move_by(model, -1),
        KeyCode::Char('p') if ctrl => move_by(model, -1),
        KeyCode::Down => move_by(model, 1),
        KeyCode::Char('n') if ctrl => move_by(model, 1),
        KeyCode::Backspace => change(model, |query| _ = query.pop()),
        KeyCode::Char('u') if ctrl => change(model, String::clear),
        KeyCode::Char(letter) if plain => change(model, |query| query.push(letter)),
        _ => {}
    }
    Vec::new()
}

/// Pasted text counts as typed.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Cmd> {
    // A link may come with the words around it, and broken over lines.
    let link = text.find(channel::PREFIX).and_then(|at| text.get(at..));
    match link {
        Some(link) => change(model, |query| *query = link.split_whitespace().collect()),
        None => change(model, |query| query.push_str(text.lines().next().unwrap_or("").trim())),
    }
    Vec::new()
}

/// Opens the chat with a name, or looks the name up if there is none.
pub(super) fn go(model: &mut Model, name: &str) -> Vec<Cmd> {
    let known =
        model.desk().and_then(|desk| desk.list().iter().find(|chat| is_called(chat, name))).map(|chat| chat.peer);
    if let Some(peer) = known {
        return super::open::open(model, peer, None);
    }
    open(model);
    change(model, |query| name.clone_into(query));
    if let Some(Overlay::Switcher(switcher)) = model.desk_mut().and_then(|desk| desk.overlay.as_mut()) {
        switcher.hits.clear();
        switcher.cursor = 0;
    }
    choose(model)
}

/// Whether a text names a chat: a person's name, `#` and a title, or the beginning of a group's id.
fn is_called(chat: &Chat, text: &str) -> bool {
    match chat.kind {
        Kind::Direct => chat.name == text,
        _ => {
            let title = text.strip_prefix('#');
            title == Some(&chat.name)
                || text.len() >= FEWEST_DIGITS && chat.peer.to_hex().starts_with(&title.unwrap_or(text).to_lowercase())
        }
    }
}

/// The list of chats is another one.
pub(super) fn refresh(model: &mut Model) {
    change(model, |_| {});
}

fn change(model: &mut Model, edit: impl FnOnce(&mut String)) {
    let Some(desk) = model.desk_mut() else { return };
    let Some(Overlay::Switcher(switcher)) = &mut desk.overlay else { return };
    let before = switcher.query.clone();
    edit(&mut switcher.query);
    let longest = if switcher.query.starts_with("aside:") { LONGEST_LINK } else { LONGEST };
    while switcher.query.len() > longest {
        switcher.query.pop();
    }
    if before != switcher.query {
        (switcher.failed, switcher.looking) = (None, None);
        switcher.cursor = 0;
    }
    switcher.hits = hits(desk.chats.as_deref().unwrap_or_default(), &switcher.query);
    switcher.cursor = switcher.cursor.min(switcher.hits.len());
}

fn move_by(model: &mut Model, by: isize) {
    if let Some(Overlay::Switcher(switcher)) = model.desk_mut().and_then(|desk| desk.overlay.as_mut()) {
        let last = if name(switcher).is_some() || is_link(&switcher.query) {
            switcher.hits.len()
        } else {
            switcher.hits.len().saturating_sub(1)
        };
        switcher.cursor = switcher.cursor.saturating_add_signed(by).min(last);
    }
}

fn choose(model: &mut Model) -> Vec<Cmd> {
    let Some(Overlay::Switcher(switcher)) = model.desk_mut().and_then(|desk| desk.overlay.as_mut()) else {
        return Vec::new();
    };
    if let Some(peer) = switcher.hits.get(switcher.cursor).copied() {
        return super::open::open(model, peer, None);
    }
    if is_link(&switcher.query) {
        return join(switcher);
    }
    let Some(wanted) = name(switcher) else { return Vec::new() };
    switcher.looking = Some(wanted.clone());
    switcher.failed = None;
    vec![Cmd::LookUp(wanted)]
}

/// A channel's link was pasted: asks to be let in, once.
fn join(switcher: &mut Switcher) -> Vec<Cmd> {
    switcher.failed = None;
    match ChannelLink::from_link(&switcher.query) {
        Ok(link) => {
            switcher.looking = Some(link.title.clone());
            vec![Cmd::Join(link)]
        }
        Err(error) => {
            switcher.failed = Some(error.to_string());
            Vec::new()
        }
    }
}

/// What was asked for by a link cannot be.
pub(super) fn refused(model: &mut Model) {
    if let Some(Overlay::Switcher(switcher)) = model.desk_mut().and_then(|desk| desk.overlay.as_mut()) {
        switcher.looking = None;
    }
}

/// Whether the query is, or is meant to be, a channel's link.
pub(crate) fn is_link(query: &str) -> bool {
    query.trim().starts_with(channel::PREFIX)
}

/// The query as a name to look up.
pub(crate) fn name(switcher: &Switcher) -> Option<String> {
    let name = switcher.query.trim();
    (!name.is_empty() && !name.starts_with('#') && !is_link(name)).then(|| name.to_owned())
}

/// Chats whose names have the query's letters in its order, the best first.
fn hits(chats: &[Chat], query: &str) -> Vec<AccountId> {
    fitting(chats.iter().map(|chat| (chat.peer, chat.label())), query)
}

/// Those whose names have the query's letters in its order, the best first.
pub(super) fn fitting(named: impl Iterator<Item = (AccountId, String)>, query: &str) -> Vec<AccountId> {
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut score = |name: &str| pattern.score(Utf32Str::new(name, &mut buffer), &mut matcher);
    let mut scored: Vec<_> = named.filter_map(|(peer, name)| Some((score(&name)?, peer))).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, peer)| peer).collect()
}

//! Reads: chat list, pages, what is known of a contact, what was not sent. At most one of each is on its way, and one
//! more is due after it.

use super::{contacts, devices, groups, list};
use crate::agent::Handle;
use crate::contact::refused;
use aside_engine::EngineError;
use aside_protocol::AccountId;
use aside_protocol::group::ChatKind;
use aside_store::Tx;
use aside_store::conversation::{Conversation, Line, Spot, Window};
use aside_store::history::{Entry as Stored, PageCursor};
use aside_store::messages::{Message, Status};
use aside_tui::Msg;
use aside_tui::cmd::Span;
use aside_tui::data::{Author, Entry, Key, Page, Progress, Unsent, What};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

/// Messages of a chat that are listed as not sent; a person takes back the first ones, not the last of thousands.
const UNSENT: u32 = 200;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Load {
    Chats,
    Page { peer: AccountId, turn: u64, span: Span, reach: u32 },
    Info(AccountId),
    Unsent(AccountId),
    Group(AccountId),
    Readers(i64),
    Devices,
}

/// What is on its way, and whether it was asked for again meanwhile.
#[derive(Debug, Default)]
pub(super) struct Loads(HashMap<Load, bool>);

impl Loads {
    /// Whether to start it now.
    pub fn begin(&mut self, load: &Load) -> bool {
        match self.0.get_mut(load) {
            Some(again) => {
                *again = true;
                false
            }
            None => self.0.insert(load.clone(), false).is_none(),
        }
    }

    /// It was answered; whether to do it once more.
    pub fn end(&mut self, load: &Load) -> bool {
        self.0.remove(load) == Some(true)
    }
}

/// A message to come, or why it cannot be read.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Msg, EngineError>> + Send>>;

/// Asks the engine; the question is in its queue when this returns.
pub(super) fn ask(handle: &Handle, load: &Load) -> Answer {
    match *load {
        Load::Chats => Box::pin(list::chats(handle)),
        Load::Page { peer, turn, span, reach } => Box::pin(page(handle, (peer, turn), span, reach)),
        Load::Info(peer) => Box::pin(contacts::info(handle, peer)),
        Load::Unsent(peer) => Box::pin(unsent(handle, peer)),
        Load::Group(peer) => Box::pin(groups::members(handle, peer)),
        Load::Devices => Box::pin(devices::list(handle)),
        Load::Readers(row) => Box::pin(groups::readers(handle, row)),
    }
}

fn page(
    handle: &Handle,
    (peer, turn): (AccountId, u64),
    span: Span,
    reach: u32,
) -> impl Future<Output = Result<Msg, EngineError>> + Send + use<> {
    handle.read(move |tx| {
        let conversation = tx.conversation(&peer)?;
        let unread = tx.first_unread(&conversation)?;
        let window = window(tx, &conversation, span, unread, reach)?;
        let draft = tx.draft(&conversation.peer)?;
        Ok(Msg::Loaded { peer, turn, page: shown(window, unread), draft })
    })
}

fn window(
    tx: &Tx,
    conversation: &Conversation,
    span: Span,
    unread: Option<Spot>,
    reach: u32,
) -> Result<Window, EngineError> {
    let around = match span {
        Span::Newest => None,
        Span::Unread => unread,
        Span::Around(key) => Some(spot(key)),
    };
    Ok(match around {
        Some(spot) => tx.around(conversation, spot, reach)?,
        None => tx.newest(conversation, reach)?,
    })
}

/// A key as the store has it.
pub(super) fn spot(key: Key) -> Spot {
    Spot { part: key.part, cursor: PageCursor { place: key.place, row: key.row } }
}

fn key(spot: Spot) -> Key {
    Key { part: spot.part, place: spot.cursor.place, row: spot.cursor.row }
}

fn shown(window: Window, unread: Option<Spot>) -> Page {
    let Window { lines, older, newer } = window;
    let entries = lines.into_iter().map(|(spot, line)| entry(key(spot), line)).collect();
    Page { entries, older, newer, unread_from: unread.map(key) }
}

fn entry(key: Key, line: Line) -> Entry {
    match line {
        Line::Entry(Stored::Message(message)) => {
            Entry { key, time: Some(message.relay_time.unwrap_or(message.sent_at)), what: what(*message) }
        }
        Line::Entry(Stored::Gap(gap)) => {
            let count = gap.last.saturating_sub(gap.first).saturating_add(1);
            Entry { key, time: None, what: What::Gap { count, why: gap.why.sentence() } }
        }
        Line::KeyChanged => Entry { key, time: None, what: What::KeyChanged },
    }
}

fn what(message: Message) -> What {
    let by = match (message.kind, message.author, message.author_name) {
        (ChatKind::Direct, ..) => None,
        (_, Some(account), Some(name)) => Some(Author { account, name }),
        _ => None,
    };
    let text = message.text;
    match (message.notice, message.own) {
        (true, _) => What::Notice { text },
        (_, true) => What::Own { text, progress: progress(message.status) },
        (_, false) => What::Peer { text, by },
    }
}

fn progress(status: Status) -> Progress {
    match status {
        Status::Pending => Progress::Pending,
        Status::Sent => Progress::Sent,
        Status::Delivered => Progress::Delivered,
        Status::Read => Progress::Read,
    }
}

fn unsent(handle: &Handle, peer: AccountId) -> impl Future<Output = Result<Msg, EngineError>> + Send + use<> {
    handle.with(move |engine| {
        let (conversation, unsent) = engine.read(|tx| {
            let conversation = tx.conversation(&peer)?;
            let unsent = tx.unsent(&conversation, UNSENT)?;
            Ok((conversation, unsent))
        })?;
        let mut chats = conversation.parts.iter().rev().filter_map(|part| part.chat);
        let why = chats.find_map(|chat| engine.trouble_in(chat)).map(refused);
        let shown = |(message, tried): (Message, bool)| Unsent {
            row: message.row,
            text: message.text,
            time: message.sent_at,
            deletable: !tried,
        };
        Ok(Msg::Unsent(peer, unsent.into_iter().map(shown).collect(), why))
    })
}

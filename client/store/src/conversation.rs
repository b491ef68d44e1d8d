//! Conversations: what was written with the accounts of one name. A contact whose key changed has a chat for each key;
//! they follow one another, with the change marked between them. Read in windows that cost the same however long the
//! history is.

use crate::accounts::Trust;
use crate::chats::ChatRow;
use crate::history::{Entry, PageCursor, Room};
use crate::messages::{Message, MessageRow, SELECT, read};
use crate::{Result, Tx};
use aside_protocol::AccountId;
use rusqlite::params;

/// Text on each side of what a window was asked for; a longer message comes alone.
pub const SIDE_BYTES: usize = 128 << 10;

/// Where something stands in a conversation; sorts oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Which of the conversation's chats.
    pub part: u32,
    /// Where in it.
    pub cursor: PageCursor,
}

/// A chat of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The other account.
    pub account: AccountId,
    /// The chat; none while nothing was written under the key in use.
    pub chat: Option<ChatRow>,
}

/// The accounts of one name and their chats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The account in use.
    pub peer: AccountId,
    /// The chats, the oldest first: a chat keeps its number when another is added.
    pub parts: Vec<Part>,
}

/// A line of a conversation.
#[derive(Debug, Clone)]
pub enum Line {
    /// A message, a notice or a gap.
    Entry(Entry),
    /// From here on the other account is another one.
    KeyChanged,
}

/// A part of a conversation without holes, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// Its lines.
    pub lines: Vec<(Spot, Line)>,
    /// There are older ones.
    pub older: bool,
    /// There are newer ones.
    pub newer: bool,
}

impl Conversation {
    fn end(&self) -> Spot {
        let last = u32::try_from(self.parts.len().saturating_sub(1)).unwrap_or(u32::MAX);
        Spot { part: last, cursor: PageCursor::NEWEST }
    }

    /// The chat a spot is in.
    pub fn chat(&self, part: u32) -> Option<ChatRow> {
        self.parts.get(part as usize).and_then(|part| part.chat)
    }
}

/// The first message of others behind a place.
pub(crate) const FIRST_UNREAD: &str =
    "SELECT u.place, u.id FROM messages u WHERE u.chat = ?1 AND u.own = 0 AND u.kind = 0
    AND u.place > (SELECT read_place FROM chats WHERE id = ?1) ORDER BY u.place, u.id LIMIT 1";

/// Own messages of a chat that the relay does not have yet.
pub(crate) fn unsent_sql() -> String {
    format!(
        "{SELECT} JOIN outbox o ON o.message = m.id
         WHERE o.chat = ?1 AND o.sent = 0 AND m.seq IS NULL ORDER BY o.id LIMIT ?2"
    )
}

impl Tx<'_> {
    /// The conversation that an account belongs to, whether anything was written or not.
    pub fn conversation(&self, account: &AccountId) -> Result<Conversation> {
        let named = match self.account(account)? {
            Some(known) => self.accounts_named(&known.name)?.iter().map(|a| (a.account, a.trust)).collect(),
            None => vec![(*account, Trust::InUse)],
        };
        let in_use = named.iter().find(|(_, trust)| *trust == Trust::InUse);
        let peer = in_use.map_or(*account, |(account, _)| *account);
        let mut parts = Vec::new();
        for (account, _) in named {
            let chat =
                self.one("SELECT id FROM chats WHERE peer = ?", params![account.as_ref()], |row| Ok(row.get(0)?))?;
            if chat.is_some() || account == peer {
                parts.push(Part { account, chat });
            }
        }
        parts.sort_by_key(|part| (part.chat.is_none(), part.chat));
        Ok(Conversation { peer, parts })
    }

    /// The newest lines.
    pub fn newest(&self, conversation: &Conversation, reach: u32) -> Result<Window> {
        let (mut lines, older) = self.older(conversation, conversation.end(), reach)?;
        lines.reverse();
        Ok(Window { lines, older, newer: false })
    }

    /// The lines around a spot, which itself counts to the newer ones: so many on each side.
    pub fn around(&self, conversation: &Conversation, spot: Spot, reach: u32) -> Result<Window> {
        let spot = spot.min(conversation.end());
        let (mut lines, older) = self.older(conversation, spot, reach)?;
        lines.reverse();
        let (after, newer) = self.newer(conversation, spot, reach.saturating_add(1))?;
        lines.extend(after);
        Ok(Window { lines, older, newer })
    }

    /// The first message of the other one that is not marked as read.
    pub fn first_unread(&self, conversation: &Conversation) -> Result<Option<Spot>> {
        for (part, chat) in (0..).zip(&conversation.parts) {
            let found = self
                .one(FIRST_UNREAD, params![chat.chat], |row| Ok(PageCursor { place: row.get(0)?, row: row.get(1)? }))?;
            if let Some(cursor) = found {
                return Ok(Some(Spot { part, cursor }));
            }
        }
        Ok(None)
    }

    /// Own messages that the relay does not have yet, oldest first, and whether each was ever encrypted.
    pub fn unsent(&self, conversation: &Conversation, limit: u32) -> Result<Vec<(Message, bool)>> {
        let mut unsent = Vec::new();
        for chat in conversation.parts.iter().filter_map(|part| part.chat) {
            unsent.extend(
                self.all(&unsent_sql(), params![chat, limit], |row| Ok((read(row)?, self.was_tried(row.get("id")?)?)))?,
            );
        }
        Ok(unsent)
    }

    fn was_tried(&self, message: MessageRow) -> Result<bool> {
        Ok(self.outgoing_of(message)?.iter().any(|outgoing| outgoing.tried))
    }

    /// What comes before a spot, the nearest first, and whether there is more.
    fn older(&self, conversation: &Conversation, from: Spot, reach: u32) -> Result<(Vec<(Spot, Line)>, bool)> {
        let (mut room, mut lines, mut cursor) = (Room::new(reach, SIDE_BYTES), Vec::new(), from.cursor);
        for part in (0..=from.part).rev() {
            if let Some(chat) = conversation.chat(part) {
                let side = self.before(chat, cursor, &mut room)?;
                lines.extend(side.entries.into_iter().map(|entry| placed(part, entry)));
                if side.more {
                    return Ok((lines, true));
                }
            }
            if part > 0 && cursor > PageCursor::FIRST {
                if !room.take(0) {
                    return Ok((lines, true));
                }
                lines.push(key_changed(part));
            }
            cursor = PageCursor::NEWEST;
        }
        Ok((lines, false))
    }

    /// What stands at a spot and comes after it, the nearest first, and whether there is more.
    fn newer(&self, conversation: &Conversation, from: Spot, reach: u32) -> Result<(Vec<(Spot, Line)>, bool)> {
        let (mut room, mut lines, mut cursor) = (Room::new(reach, SIDE_BYTES), Vec::new(), from.cursor);
        for part in from.part..=conversation.end().part {
            if part > 0 && cursor <= PageCursor::FIRST {
                if !room.take(0) {
                    return Ok((lines, true));
                }
                lines.push(key_changed(part));
            }
            if let Some(chat) = conversation.chat(part) {
                let side = self.after(chat, cursor, &mut room)?;
                lines.extend(side.entries.into_iter().map(|entry| placed(part, entry)));
                if side.more {
                    return Ok((lines, true));
                }
            }
            cursor = PageCursor::FIRST;
        }
        Ok((lines, false))
    }
}

fn placed(part: u32, entry: Entry) -> (Spot, Line) {
    (Spot { part, cursor: entry.key() }, Line::Entry(entry))
}

fn key_changed(part: u32) -> (Spot, Line) {
    (Spot { part, cursor: PageCursor::FIRST }, Line::KeyChanged)
}

//! Pages of a chat's history: messages, notices and gaps in the order of their places.

use crate::chats::ChatRow;
use crate::gaps::Gap;
use crate::messages::{Message, SELECT, read};
use crate::{Result, Tx};
use rusqlite::params;

/// One line of a history.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A message or notice.
    Message(Box<Message>),
    /// Places this device cannot show.
    Gap(Gap),
}

/// Where a page begins: everything on it comes before this place and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageCursor {
    /// A place.
    pub place: u64,
    /// Among equal places, a message row.
    pub row: i64,
}

impl PageCursor {
    /// Before everything there is: the newest page.
    pub const NEWEST: Self = Self { place: i64::MAX as u64, row: i64::MAX };
    /// Before everything there can be.
    pub const FIRST: Self = Self { place: 0, row: 0 };
}

impl std::fmt::Display for PageCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.place, self.row)
    }
}

impl std::str::FromStr for PageCursor {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let wrong = "a cursor is what the last page printed as its next cursor";
        let (place, row) = text.split_once('.').ok_or(wrong)?;
        let place = place.parse().ok().filter(|&place: &u64| i64::try_from(place).is_ok());
        Ok(Self { place: place.ok_or(wrong)?, row: row.parse().map_err(|_| wrong)? })
    }
}

/// One page, oldest entry first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the page before this one begins; none when this is the oldest.
    pub next: Option<PageCursor>,
}

impl Entry {
    pub(crate) fn key(&self) -> PageCursor {
        match self {
            Self::Message(message) => PageCursor { place: message.place, row: message.row },
            Self::Gap(gap) => gap_key(gap),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.text.len(),
            Self::Gap(_) => 0,
        }
    }
}

fn gap_key(gap: &Gap) -> PageCursor {
    PageCursor { place: gap.first, row: 0 }
}

/// What may still be read in one direction: so many entries and bytes of text, but one entry however long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    entries: u32,
    bytes: usize,
    empty: bool,
}

impl Room {
    pub fn new(entries: u32, bytes: usize) -> Self {
        Self { entries, bytes, empty: true }
    }

    /// Takes room for an entry, if there is any.
    pub fn take(&mut self, bytes: usize) -> bool {
        if self.entries == 0 || (bytes > self.bytes && !self.empty) {
            return false;
        }
        self.entries -= 1;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.empty = false;
        true
    }

    /// Enough rows to fill the room and to see that there are more.
    fn rows(&self) -> u32 {
        self.entries.saturating_add(1)
    }
}

/// What lies on one side of a cursor, the nearest first.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub entries: Vec<Entry>,
    /// There are more than there was room for.
    pub more: bool,
}

impl Side {
    fn push(&mut self, entry: Entry, room: &mut Room) -> bool {
        self.more = !room.take(entry.bytes());
        if !self.more {
            self.entries.push(entry);
        }
        !self.more
    }
}

/// The messages before a cursor. The first bound on `place` is for the index: a page deep in a history costs what the
/// newest one does.
pub(crate) fn before_sql() -> String {
    format!(
        "{SELECT} WHERE m.chat = ?1 AND m.kind < 2 AND m.place <= ?2 AND (m.place < ?2 OR m.id < ?3)
         ORDER BY m.place DESC, m.id DESC LIMIT ?4"
    )
}

/// The messages from a cursor on, in the same way.
pub(crate) fn after_sql() -> String {
    format!(
        "{SELECT} WHERE m.chat = ?1 AND m.kind < 2 AND m.place >= ?2 AND (m.place > ?2 OR m.id >= ?3)
         ORDER BY m.place, m.id LIMIT ?4"
    )
}

impl Tx<'_> {
    /// At most `limit` entries of a chat that come before `before`.
    pub fn page(&self, chat: ChatRow, before: PageCursor, limit: u32) -> Result<Page> {
        let Side { mut entries, more } = self.before(chat, before, &mut Room::new(limit, usize::MAX))?;
        let next = entries.last().filter(|_| more).map(Entry::key);
        entries.reverse();
        Ok(Page { entries, next })
    }

    /// What comes before a cursor, as far as there is room.
    pub(crate) fn before(&self, chat: ChatRow, cursor: PageCursor, room: &mut Room) -> Result<Side> {
        let gaps = self.gaps_before(chat, cursor, room.rows())?;
        self.side(&before_sql(), (chat, cursor), gaps, |gap, message| gap > message, room)
    }

    /// What stands at a cursor and comes after it, as far as there is room.
    pub(crate) fn after(&self, chat: ChatRow, cursor: PageCursor, room: &mut Room) -> Result<Side> {
        let gaps = self.gaps_from(chat, cursor, room.rows())?;
        self.side(&after_sql(), (chat, cursor), gaps, |gap, message| gap < message, room)
    }

    /// Merges messages and gaps; stops reading when the room is full.
    fn side(
        &self,
        sql: &str,
        (chat, cursor): (ChatRow, PageCursor),
        gaps: Vec<Gap>,
        nearer: impl Fn(PageCursor, PageCursor) -> bool,
        room: &mut Room,
    ) -> Result<Side> {
        let (mut side, mut gaps) = (Side::default(), gaps.into_iter().peekable());
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![chat, cursor.place, cursor.row, room.rows()])?;
        while let Some(row) = rows.next()? {
            let message = Entry::Message(Box::new(read(row)?));
            while let Some(gap) = gaps.next_if(|gap| nearer(gap_key(gap), message.key())) {
                if !side.push(Entry::Gap(gap), room) {
                    return Ok(side);
                }
            }
            if !side.push(message, room) {
                return Ok(side);
            }
        }
        for gap in gaps {
            if !side.push(Entry::Gap(gap), room) {
                return Ok(side);
            }
        }
        Ok(side)
    }
}

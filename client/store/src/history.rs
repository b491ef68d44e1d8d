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
    fn key(&self) -> PageCursor {
        match self {
            Self::Message(message) => PageCursor { place: message.place, row: message.row },
            Self::Gap(gap) => PageCursor { place: gap.first, row: 0 },
        }
    }
}

/// The messages of a page. The first bound on `place` is for the index: a page deep in a history costs what the newest
/// one does.
pub(crate) fn page_sql() -> String {
    format!(
        "{SELECT} WHERE m.chat = ?1 AND m.place <= ?2 AND (m.place < ?2 OR m.id < ?3)
         ORDER BY m.place DESC, m.id DESC LIMIT ?4"
    )
}

impl Tx<'_> {
    /// At most `limit` entries of a chat that come before `before`.
    pub fn page(&self, chat: ChatRow, before: PageCursor, limit: u32) -> Result<Page> {
        let some_more = limit.saturating_add(1);
        let mut entries: Vec<Entry> =
            self.all(&page_sql(), params![chat, before.place, before.row, some_more], |row| {
                Ok(Entry::Message(Box::new(read(row)?)))
            })?;
        entries.extend(self.gaps_before(chat, before, some_more)?.into_iter().map(Entry::Gap));
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.key()));
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let next = entries.last().filter(|_| more).map(Entry::key);
        entries.reverse();
        Ok(Page { entries, next })
    }
}

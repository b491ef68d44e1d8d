//! A page of a conversation as rows of the screen, for one width. Pure measuring: styles come with the view.

use crate::data::{Entry, Key, What};
use crate::text;
use aside_protocol::Millis;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::ops::Range;

/// Columns of the time and the space behind it.
pub const TIME: u16 = 6;
/// Columns of the ticks and the space before them.
pub const TICKS: u16 = 4;

/// Most rows of one text that are shown: a wall of line breaks must not be in everybody's way.
pub const TALLEST: usize = 2_000;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which entry of the page it belongs to.
    pub entry: usize,
    /// What it shows.
    pub kind: Kind,
}

/// What a row shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The first row of a day.
    Day(Date),
    /// Here begins what was not read.
    Unread,
    /// A part of a text: bytes of the entry's harmless text.
    Text {
        /// Which bytes.
        bytes: Range<usize>,
        /// The first row of its entry.
        first: bool,
        /// The last row of its entry.
        last: bool,
        /// Whether name and time are left out, because they are those of the row above.
        follows: bool,
    },
    /// So many more rows of the text are not shown.
    More(usize),
    /// A part of a sentence of this program: bytes of the entry's harmless text.
    Aside {
        /// Which bytes.
        bytes: Range<usize>,
        /// The first row of its entry.
        first: bool,
    },
}

/// The rows of a page.
#[derive(Debug, Default)]
pub struct Rows {
    /// In order.
    pub rows: Vec<Row>,
    /// The harmless text of each entry.
    pub texts: Vec<String>,
    /// The web addresses in each text.
    pub links: Vec<Vec<Range<usize>>>,
    /// Columns of the name and the space behind it.
    pub name: u16,
}

/// What rows are made for.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Columns of the conversation.
    pub columns: u16,
    /// Columns that the longest name takes.
    pub name: u16,
    /// Where the unread begins.
    pub divider: Option<Key>,
    /// Where the user is.
    pub zone: &'a TimeZone,
}

impl Rows {
    /// Lays a page out.
    pub fn new(entries: &[Entry], frame: Frame) -> Self {
        let name = frame.name.min(frame.columns / 5).max(3) + 1;
        let width = frame.columns.saturating_sub(TIME + name + TICKS).max(2);
        let mut laid = Self { name, ..Self::default() };
        let mut before: Option<(&Entry, Option<Date>)> = None;
        for (index, entry) in entries.iter().enumerate() {
            let day = entry.time.map(|time| date(time, frame.zone)).or(before.and_then(|(_, day)| day));
            let mut fresh = false;
            if let Some(day) = day.filter(|day| before.and_then(|(_, before)| before) != Some(*day)) {
                laid.push(index, Kind::Day(day));
                fresh = true;
            }
            if frame.divider == Some(entry.key) {
                laid.push(index, Kind::Unread);
                fresh = true;
            }
            let follows = !fresh && before.is_some_and(|(before, _)| belongs(before, entry));
            laid.lay(index, entry, width, frame.columns, follows);
            before = Some((entry, day));
        }
        laid
    }

    fn push(&mut self, entry: usize, kind: Kind) {
        self.rows.push(Row { entry, kind });
    }

    fn lay(&mut self, index: usize, entry: &Entry, width: u16, columns: u16, follows: bool) {
        match &entry.what {
            What::Own { text, .. } | What::Peer { text, .. } => {
                let text = text::drawable(text);
                let parts = text::wrap(&text, width);
                let (count, shown) = (parts.len(), parts.len().min(TALLEST));
                for (part, bytes) in parts.into_iter().take(shown).enumerate() {
                    let (first, last) = (part == 0, part + 1 == shown);
                    self.push(index, Kind::Text { bytes, first, last, follows });
                }
                if shown < count {
                    self.push(index, Kind::More(count - shown));
                }
                self.links.push(text::links(&text));
                self.texts.push(text);
            }
            What::Notice { .. } | What::Gap { .. } | What::KeyChanged => {
                let text = sentence(&entry.what);
                let parts = text::wrap(&text, columns.saturating_sub(TIME + 2).max(2));
                for (part, bytes) in parts.into_iter().enumerate() {
                    self.push(index, Kind::Aside { bytes, first: part == 0 });
                }
                self.links.push(Vec::new());
                self.texts.push(text);
            }
        }
    }

    /// The index behind the last row of an entry, or of the last one before it that is there.
    pub fn end_of(&self, entries: &[Entry], key: Key) -> usize {
        self.rows.partition_point(|row| entries[row.entry].key <= key)
    }

    /// The index of the first row of an entry, or of the first one after it that is there.
    pub fn start_of(&self, entries: &[Entry], key: Key) -> usize {
        self.rows.partition_point(|row| entries[row.entry].key < key)
    }
}

/// The day of a time where the user is.
pub fn date(time: Millis, zone: &TimeZone) -> Date {
    zone.to_datetime(timestamp(time)).date()
}

/// A time as jiff has it; what lies outside its range is its end.
pub fn timestamp(time: Millis) -> jiff::Timestamp {
    i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or(jiff::Timestamp::MAX)
}

/// Whether an entry goes on where the one before ended: the same author within a minute.
fn belongs(before: &Entry, entry: &Entry) -> bool {
    let same = match (&before.what, &entry.what) {
        (What::Own { .. }, What::Own { .. }) => true,
        (What::Peer { by: before, .. }, What::Peer { by, .. }) => {
            before.as_ref().map(|by| by.account) == by.as_ref().map(|by| by.account)
        }
        _ => false,
    };
    let minute = |entry: &Entry| entry.time.map(|time| time.0 / 60_000);
    same && minute(before) == minute(entry)
}

fn sentence(what: &What) -> String {
    match what {
        What::Notice { text } => text::one_line(text),
        What::Gap { count: 1, why } => format!("1 message {why}"),
        What::Gap { count, why } => format!("{count} messages {why}"),
        What::KeyChanged => "From here on the other side has a new key. Alt-I compares the safety number.".into(),
        What::Own { .. } | What::Peer { .. } => String::new(),
    }
}

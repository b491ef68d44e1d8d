//! One open conversation: a window onto its history, where it is scrolled to, and what is being written.

use super::Composer;
use super::rows::{Frame, Rows};
use crate::cmd::{Cmd, Span};
use crate::data::{Key, Kind, Page, What};
use crate::text;
use aside_protocol::AccountId;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::ops::Range;

/// The fewest entries to read on each side.
const LEAST_REACH: u32 = 60;

/// What the lowest row on the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The end, whatever comes.
    End,
    /// A row of an entry, counted from its first one.
    At(Key, usize),
}

/// A conversation.
#[derive(Debug)]
pub struct Conversation {
    /// With whom.
    pub peer: AccountId,
    /// Which opening this is: an answer to a question of an earlier one is out of date.
    pub turn: u64,
    /// Their name, or the title of a group or channel.
    pub name: String,
    /// What the chat is.
    pub kind: Kind,
    /// What is being written. Until the page was read once, the draft in the store is not known.
    pub composer: Composer,
    /// What was read of the history; none until it was.
    pub page: Option<Page>,
    /// The page as rows.
    pub rows: Rows,
    /// Where it is scrolled to.
    pub anchor: Anchor,
    /// Where what was not read began when it was opened, or when the user looked away.
    pub divider: Option<Key>,
    /// Marked as read up to here, for each part.
    pub read: BTreeMap<u32, Key>,
    /// Enter was pressed before the draft was known.
    pub eager: bool,
    /// A read of the history is under way; true if it is out of date already.
    pub loading: Option<bool>,
    /// Columns and rows that the history has on the screen.
    pub room: (u16, u16),
}

impl Conversation {
    /// Before anything was read.
    pub fn new(peer: AccountId, turn: u64, (name, kind): (String, Kind), room: (u16, u16)) -> Self {
        Self {
            peer,
            turn,
            name,
            kind,
            composer: Composer::default(),
            page: None,
            rows: Rows::default(),
            anchor: Anchor::End,
            divider: None,
            read: BTreeMap::new(),
            eager: false,
            loading: None,
            room,
        }
    }

    /// Reads a part of the history, unless a read is under way: then it is repeated after that.
    pub fn load(&mut self, span: Span) -> Option<Cmd> {
        if let Some(outdated) = &mut self.loading {
            *outdated = true;
            return None;
        }
        self.loading = Some(false);
        Some(Cmd::Load { peer: self.peer, turn: self.turn, span, reach: LEAST_REACH.max(3 * u32::from(self.room.1)) })
    }

    /// Reads what is around the screen anew.
    pub fn reload(&mut self) -> Option<Cmd> {
        let span = match self.anchor {
            Anchor::End if self.page.is_none() => Span::Unread,
            Anchor::End => Span::Newest,
            Anchor::At(key, _) => Span::Around(key),
        };
        self.load(span)
    }

    /// A part of the history was read. `looking` says whether what is on the screen counts as seen.
    pub fn loaded(&mut self, page: Page, draft: String, looking: bool, own: &str, zone: &TimeZone) {
        let first_time = self.page.is_none();
        if first_time {
            self.composer.begin_with(draft);
        }
        if first_time || !looking {
            self.divider = page.unread_from.or(self.divider);
        }
        self.follow_own(&page);
        self.page = Some(page);
        self.lay_out(own, zone);
        // What nobody sees must not push what is not read off the screen.
        if first_time || (!looking && self.anchor == Anchor::End) {
            self.show_unread();
        }
    }

    /// An own message that waited has got its place: whoever was scrolled to it stays there.
    fn follow_own(&mut self, page: &Page) {
        if let Anchor::At(key, row) = self.anchor
            && page.entries.binary_search_by_key(&key, |entry| entry.key).is_err()
            && let Some(entry) =
                page.entries.iter().find(|entry| (entry.key.part, entry.key.row) == (key.part, key.row))
        {
            self.anchor = Anchor::At(entry.key, row);
        }
    }

    /// Measures the page for the present room.
    pub fn lay_out(&mut self, own: &str, zone: &TimeZone) {
        let name = self.authors().map(|name| text::width(&text::one_line(name))).max().unwrap_or(0);
        let name = name.max(text::width(own));
        let frame =
            Frame { columns: self.room.0, name: u16::try_from(name).unwrap_or(u16::MAX), divider: self.divider, zone };
        self.rows = self.page.as_ref().map(|page| Rows::new(&page.entries, frame)).unwrap_or_default();
    }

    /// The names that stand before texts of others: in a chat of two that of the chat.
    fn authors(&self) -> impl Iterator<Item = &str> {
        let entries = self.page.iter().flat_map(|page| &page.entries);
        let by = entries.filter_map(|entry| match &entry.what {
            What::Peer { by: Some(by), .. } => Some(by.name.as_str()),
            _ => None,
        });
        by.chain((self.kind == Kind::Direct).then_some(self.name.as_str()))
    }

    /// The own messages that were read of the history, oldest first, and their texts.
    pub fn own_messages(&self) -> impl DoubleEndedIterator<Item = (Key, &str)> {
        self.page.iter().flat_map(|page| &page.entries).filter_map(|entry| match &entry.what {
            What::Own { text, .. } => Some((entry.key, text.as_str())),
            _ => None,
        })
    }

    /// Has the divider at the top if what follows does not fit.
    fn show_unread(&mut self) {
        let (Some(key), Some(page)) = (self.divider, &self.page) else { return };
        let top = self.rows.start_of(&page.entries, key);
        self.set_bottom(top + usize::from(self.room.1));
    }

    /// The rows on the screen.
    pub fn visible(&self) -> Range<usize> {
        let bottom = self.bottom();
        bottom.saturating_sub(usize::from(self.room.1))..bottom
    }

    /// The entry of the lowest row on the screen.
    pub fn bottom_key(&self) -> Option<Key> {
        let row = self.rows.rows.get(self.visible().end.checked_sub(1)?)?;
        self.page.as_ref()?.entries.get(row.entry).map(|entry| entry.key)
    }

    fn bottom(&self) -> usize {
        let len = self.rows.rows.len();
        let Some(page) = &self.page else { return 0 };
        let bottom = match self.anchor {
            Anchor::End => len,
            Anchor::At(key, row) => {
                let start = self.rows.start_of(&page.entries, key);
                let end = self.rows.end_of(&page.entries, key).max(start + 1);
                (start + row + 1).min(end)
            }
        };
        bottom.clamp(usize::from(self.room.1).min(len), len)
    }

    fn set_bottom(&mut self, bottom: usize) {
        let len = self.rows.rows.len();
        let Some(page) = &self.page else { return };
        let bottom = bottom.clamp(usize::from(self.room.1).min(len), len);
        self.anchor = match bottom.checked_sub(1).and_then(|last| self.rows.rows.get(last)) {
            Some(row) if bottom < len || page.newer => {
                let key = page.entries[row.entry].key;
                Anchor::At(key, bottom - 1 - self.rows.start_of(&page.entries, key))
            }
            _ => Anchor::End,
        };
    }

    /// Scrolls by rows, down if positive; reads more where the page comes to its end.
    pub fn scroll(&mut self, rows: isize) -> Option<Cmd> {
        self.set_bottom(self.bottom().saturating_add_signed(rows));
        let near = usize::from(self.room.1).max(1);
        let page = self.page.as_ref()?;
        let visible = self.visible();
        let older = page.older && visible.start < near;
        let newer = page.newer && self.rows.rows.len() - visible.end < near;
        if older || newer { self.reload() } else { None }
    }

    /// Scrolls to the end.
    pub fn to_end(&mut self) -> Option<Cmd> {
        self.anchor = Anchor::End;
        if self.page.as_ref().is_some_and(|page| page.newer) { self.load(Span::Newest) } else { None }
    }

    /// For each part, the newest message of the other one whose last row is on the screen.
    pub fn seen(&self) -> BTreeMap<u32, Key> {
        let Some(page) = &self.page else { return BTreeMap::new() };
        let ends = |index: &usize| {
            let entry = self.rows.rows[*index].entry;
            self.rows.rows.get(index + 1).is_none_or(|next| next.entry != entry)
        };
        let entries = self.visible().filter(ends).map(|index| &page.entries[self.rows.rows[index].entry]);
        let of_peer = entries.filter(|entry| matches!(entry.what, What::Peer { .. }));
        of_peer.map(|entry| (entry.key.part, entry.key)).collect()
    }

    /// Marks what is seen as read; says so once.
    pub fn mark_read(&mut self) -> Vec<Cmd> {
        if self.page.as_ref().is_none_or(|page| page.unread_from.is_none()) {
            return Vec::new();
        }
        let seen = self.seen();
        let new = seen.into_iter().filter(|(part, seen)| self.read.get(part).is_none_or(|read| read < seen));
        let new: Vec<(u32, Key)> = new.collect();
        self.read.extend(new.iter().copied());
        new.into_iter().map(|(_, up_to)| Cmd::MarkRead { peer: self.peer, up_to }).collect()
    }

    /// Something could not be read or stored: what counts as done may not be.
    pub fn doubt(&mut self) {
        self.loading = None;
        self.read.clear();
        self.composer.doubt();
    }
}

//! Breaks a text into rows no wider than the screen: at words where it can, inside them where it must.

use super::width::cells;
use ratatui::buffer::CellWidth;
use std::ops::Range;

/// Characters in a piece of a cluster that is wider than a row. Bounds the measuring, which starts anew with each.
const MAX_PIECE: usize = 32;

/// The rows of `text`, which must be [`super::drawable`], as ranges of it.
///
/// No row is wider than `columns`, if that is at least 2. Line breaks are kept. Spaces where a row ends hang: they
/// belong to no row. A text without anything has one empty row.
pub fn wrap(text: &str, columns: u16) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    each_row(text, columns, |row| found.push(row));
    found
}

/// How many rows [`wrap`] would give.
pub fn rows(text: &str, columns: u16) -> usize {
    let mut count = 0;
    each_row(text, columns, |_| count += 1);
    count
}

fn each_row(text: &str, columns: u16, mut emit: impl FnMut(Range<usize>)) {
    let columns = usize::from(columns).max(1);
    let mut start = 0;
    for line in text.split('\n') {
        let mut wrapper = Wrapper::new(columns, start, &mut emit);
        for (at, cluster, wide) in cells(line) {
            wrapper.take(start + at, cluster, wide);
        }
        wrapper.finish();
        start += line.len() + 1;
    }
}

/// A place where a row may end.
#[derive(Clone, Copy)]
struct Break {
    /// Where the row's text ends.
    end: usize,
    /// Where the next row begins: after the spaces that hang.
    next: usize,
    /// The columns up to there.
    width: usize,
}

/// One line on its way into rows. Looks at each cluster once.
struct Wrapper<'a, E> {
    columns: usize,
    emit: &'a mut E,
    /// Where the current row begins, and its columns so far, spaces at its end included.
    start: usize,
    width: usize,
    /// Where its text ends, without the spaces.
    end: usize,
    /// The last place where it may be broken.
    last_break: Option<Break>,
    /// The clusters before this one, decided by their last character; the nearest first.
    before: [Option<(char, bool)>; 2],
    /// The line has given a row.
    gave: bool,
}

impl<'a, E: FnMut(Range<usize>)> Wrapper<'a, E> {
    fn new(columns: usize, start: usize, emit: &'a mut E) -> Self {
        Self { columns, emit, start, width: 0, end: start, last_break: None, before: [None; 2], gave: false }
    }

    fn take(&mut self, at: usize, cluster: &str, wide: usize) {
        let next = at + cluster.len();
        if is_space(cluster) {
            self.width += wide;
            self.last_break = Some(Break { end: self.end, next, width: self.width });
        } else {
            if self.may_break_before(cluster, wide) {
                self.last_break = Some(Break { end: self.end, next: at, width: self.width });
            }
            self.make_room(at, wide);
            if wide > self.columns {
                self.take_in_pieces(at, cluster);
            } else {
                self.width += wide;
                self.end = next;
            }
        }
        self.before = [cluster.chars().next_back().map(|c| (c, wide > 1)), self.before[0]];
    }

    /// Ends rows until `wide` more columns fit, or the row is empty.
    fn make_room(&mut self, at: usize, wide: usize) {
        while self.width + wide > self.columns && self.start < at {
            match self.last_break.take() {
                Some(place) => {
                    self.give(place.end);
                    self.start = place.next;
                    self.end = self.end.max(place.next);
                    self.width = self.width.saturating_sub(place.width);
                }
                None => {
                    self.give(at);
                    self.start_at(at);
                }
            }
        }
    }

    /// A cluster wider than a row has rows for itself. Such ones come from conjuncts on very narrow screens.
    fn take_in_pieces(&mut self, at: usize, cluster: &str) {
        let mut piece = 0;
        for (i, c) in cluster.char_indices() {
            let longer = cluster.get(piece..i + c.len_utf8()).unwrap_or_default();
            let too_long = usize::from(longer.cell_width()) > self.columns || longer.chars().count() > MAX_PIECE;
            if i > piece && too_long {
                self.give(at + i);
                self.start_at(at + i);
                piece = i;
            }
        }
        self.give(at + cluster.len());
        self.start_at(at + cluster.len());
    }

    fn start_at(&mut self, at: usize) {
        (self.start, self.end, self.width, self.last_break) = (at, at, 0, None);
    }

    /// Gives the row up to `end`, if anything but hung spaces is in it.
    fn give(&mut self, end: usize) {
        if end > self.start {
            (self.emit)(self.start..end);
            self.gave = true;
        }
    }

    fn finish(mut self) {
        if self.end > self.start {
            self.give(self.end);
        } else if !self.gave {
            (self.emit)(self.start..self.start);
        }
    }

    /// Whether a row may end between the cluster before and this one, neither being a space.
    fn may_break_before(&self, cluster: &str, wide: usize) -> bool {
        let (Some((last, last_wide)), Some(first)) = (self.before[0], cluster.chars().next()) else { return false };
        if last == '\u{200b}' {
            return true;
        }
        if is_hyphen(last) {
            let word_before = self.before[1].is_some_and(|(c, _)| c.is_alphanumeric());
            return word_before && first.is_alphanumeric();
        }
        let ideographic = (last_wide && !is_hangul(last)) || (wide > 1 && !is_hangul(first));
        ideographic && !must_not_begin(first) && !must_not_end(last)
    }
}

/// A space that a row may end at; not one that forbids it.
fn is_space(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    matches!(
        chars.next(),
        Some(' ' | '\u{1680}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200a}' | '\u{205f}' | '\u{3000}')
    ) && chars.next().is_none()
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '–' | '—')
}

/// Korean has spaces between its words, so they are not broken inside.
fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{a960}'..='\u{a97c}' | '\u{ac00}'..='\u{d7fb}')
}

/// Closing and small characters, which East Asian typesetting never puts at the beginning of a line.
fn must_not_begin(c: char) -> bool {
    "!%),.:;?]}'\"°’”…›»℃‰、。〃〉》」』】〕〗〙〛〜〞〟々〻ゝゞヽヾ・ー！％），．：；？］｝～｡｣､･ｰ\
     ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
        .contains(c)
}

/// Opening characters, which belong to what follows.
fn must_not_end(c: char) -> bool {
    "([{'\"‘“‹«〈《「『【〔〖〘〚〝（［｛｢$£¥￥＄".contains(c)
}

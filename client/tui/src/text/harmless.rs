//! Makes text from peers harmless on a terminal, and what was taken out of it visible.
//!
//! The rule: what has an honest place stays where it has it; elsewhere it is named, as `<U+202E>`. So emoji, Persian and
//! Hindi look as their writers meant them, while nothing invisible can hide a word, split a link, or reorder a line.
//! Applying it twice changes nothing more.

use super::chars::{
    is_direction_mark, is_ideograph, is_never_shown, is_prepended, is_right_to_left, is_zero_width, steers_direction,
    takes_joiners, takes_zero_width_spaces,
};
use super::width::{cells, width};
use std::fmt::Write;
use unicode_segmentation::UnicodeSegmentation;

/// Marks on one letter: twice what any orthography stacks. Further ones are replaced by one `�`.
const MAX_MARKS: usize = 8;
/// Characters in one cluster, about twice the longest emoji or conjunct in use. Longer ones are cut by a `�`, since one
/// cluster is one cell of the screen and would otherwise be as wide as its sender likes.
const MAX_CLUSTER: usize = 24;
/// A tab goes to the next multiple of this.
const TAB: usize = 4;
/// Tags in an emoji flag, the closing one included: `gbeng` and two more.
const MAX_TAGS: usize = 8;

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const ZWSP: char = '\u{200b}';
/// The base of flags such as Scotland's.
const BLACK_FLAG: char = '\u{1f3f4}';
const CANCEL_TAG: char = '\u{e007f}';

/// Text with everything that could steer a terminal, reorder a line or hide in it made visible.
///
/// - Control characters become their pictures (`␛`) or, above ASCII, `�`. Line breaks and tabs stay; CR LF, line and
///   paragraph separators become line breaks.
/// - Direction overrides, embeddings and isolates are named. LRM, RLM and ALM stay in lines that hold right-to-left
///   letters: keyboards put them there, they reach no further than such a letter does, and a mark cannot turn letters
///   around. In other lines they are named, so that a line which looks left-to-right is.
/// - Joiners stay in emoji and in scripts that use them; zero-width spaces in scripts without spaces; variation
///   selectors and tags behind what they vary. Everything else without a shape, private use included, is named.
/// - Marks per letter and characters per cluster are bounded.
pub fn harmless(text: &str) -> String {
    if text.bytes().all(|byte| byte == b'\n' || (0x20..0x7f).contains(&byte)) {
        return text.to_owned();
    }
    let broken = text.replace("\r\n", "\n").replace(['\u{2028}', '\u{2029}'], "\n");
    let mut safe = String::with_capacity(broken.len());
    for (number, line) in broken.split('\n').enumerate() {
        if number > 0 {
            safe.push('\n');
        }
        bound_clusters(&Line::new(line).judged(line), &mut safe);
    }
    safe
}

/// The same on one line.
pub fn one_line(text: &str) -> String {
    harmless(text).replace(['\n', '\t'], " ")
}

/// The same with tabs expanded to spaces: ready to be wrapped and drawn.
pub fn drawable(text: &str) -> String {
    let safe = harmless(text);
    if !safe.contains('\t') {
        return safe;
    }
    let mut drawn = String::with_capacity(safe.len() + TAB);
    let mut column = 0;
    for piece in safe.split_inclusive(['\t', '\n']) {
        let bare = piece.trim_end_matches(['\t', '\n']);
        drawn.push_str(bare);
        column += width(bare);
        if piece.ends_with('\t') {
            let gap = TAB - column % TAB;
            drawn.extend(std::iter::repeat_n(' ', gap));
            column += gap;
        } else if piece.ends_with('\n') {
            drawn.push('\n');
            column = 0;
        }
    }
    drawn
}

fn name(c: char, safe: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(safe, "<U+{:04X}>", u32::from(c));
}

/// What a line has let through so far, as far as it decides what comes next.
struct Line {
    safe: String,
    /// The line holds right-to-left letters, so that direction marks have a place in it.
    right_to_left: bool,
    /// The last character let through; a space at the beginning, where nothing can be modified.
    last: char,
    /// The last one with a shape of its own, skin tones aside.
    base: char,
    /// Marks on it.
    marks: usize,
}

impl Line {
    fn new(line: &str) -> Self {
        let right_to_left = line.chars().any(|c| is_right_to_left(c) && !is_zero_width(c) && !is_prepended(c));
        Self { safe: String::with_capacity(line.len()), right_to_left, last: ' ', base: ' ', marks: 0 }
    }

    fn judged(mut self, line: &str) -> String {
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            if c == BLACK_FLAG {
                self.keep(c);
                self.keep_tags(&mut rest);
            } else {
                self.judge(c, rest.clone().next());
            }
        }
        self.safe
    }

    fn judge(&mut self, c: char, next: Option<char>) {
        match c {
            '\t' => self.keep(c),
            '\u{0}'..='\u{1f}' => self.keep(char::from_u32(0x2400 + u32::from(c)).unwrap_or('�')),
            '\u{7f}' => self.keep('␡'),
            '\u{80}'..='\u{9f}' => self.keep('�'),
            // The same three letters, spelled out: this one sign is three columns wide.
            '\u{17d8}' => ['\u{17d4}', '\u{179b}', '\u{17d4}'].into_iter().for_each(|c| self.keep(c)),
            _ if self.has_a_place(c, next) => self.keep_bounded(c),
            _ => self.name(c),
        }
    }

    /// Whether `c` may stand here as it is.
    fn has_a_place(&self, c: char, next: Option<char>) -> bool {
        match c {
            ZWJ => self.last != ZWJ && self.last != ZWNJ && (takes_joiners(self.last) || self.joins_emoji(next)),
            ZWNJ | '\u{34f}' => takes_joiners(self.last),
            ZWSP => {
                let word_follows = next.is_some_and(|next| takes_zero_width_spaces(next) && !is_zero_width(next));
                takes_zero_width_spaces(self.base) && self.last != ZWSP && word_follows
            }
            // One selector each: a row of them can carry hidden text.
            '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(self.last, '\u{1820}'..='\u{18aa}'),
            '\u{fe00}'..='\u{fe0f}' => !is_zero_width(self.last) && !self.last.is_ascii_alphabetic() && self.last > ' ',
            '\u{e0100}'..='\u{e01ef}' => is_ideograph(self.last),
            // A row of them would be one cluster with what follows.
            _ if is_prepended(c) => !is_prepended(self.last),
            _ if is_direction_mark(c) => self.right_to_left && !is_direction_mark(self.last),
            _ => !steers_direction(c) && !is_never_shown(c),
        }
    }

    /// Whether a joiner here makes one emoji of what is before and behind it.
    fn joins_emoji(&self, next: Option<char>) -> bool {
        let one_cluster = |chars: &[char]| chars.iter().collect::<String>().graphemes(true).nth(1).is_none();
        next.is_some_and(|next| one_cluster(&[self.base, ZWJ, next]) && !one_cluster(&[self.base, next]))
    }

    fn keep(&mut self, c: char) {
        self.safe.push(c);
        self.last = c;
        if !is_zero_width(c) && !('\u{1f3fb}'..='\u{1f3ff}').contains(&c) {
            self.base = c;
            self.marks = 0;
        }
    }

    /// Keeps `c` unless it is one mark too many; the first of those leaves a `�`, which the others belong to.
    fn keep_bounded(&mut self, c: char) {
        if is_direction_mark(c) || c == ZWSP {
            // No mark can sit on these: what follows has no base.
            self.keep(c);
            self.base = ' ';
            return;
        }
        if !is_zero_width(c) {
            return self.keep(c);
        }
        self.marks += 1;
        if self.marks <= MAX_MARKS {
            self.keep(c);
        } else if self.marks == MAX_MARKS + 1 {
            self.safe.push('�');
            self.last = '�';
        }
    }

    fn name(&mut self, c: char) {
        name(c, &mut self.safe);
        self.last = '>';
        self.base = '>';
        self.marks = 0;
    }

    /// Keeps the tags that make a flag of the black one, if they are closed and few; others are left to be named.
    fn keep_tags(&mut self, rest: &mut std::str::Chars<'_>) {
        let tags = rest.clone().take(MAX_TAGS).position(|c| !('\u{e0020}'..='\u{e007e}').contains(&c));
        let closed = tags.filter(|&count| count > 0 && rest.clone().nth(count) == Some(CANCEL_TAG));
        if let Some(count) = closed {
            self.safe.extend(rest.by_ref().take(count + 1));
        }
    }
}

/// Appends a judged line, its overlong clusters cut, and named what would be drawn nowhere (a mark on nothing).
fn bound_clusters(line: &str, safe: &mut String) {
    for (_, cluster, columns) in cells(line) {
        if columns == 0 && !may_be_invisible(cluster) {
            cluster.chars().for_each(|c| name(c, safe));
        } else if cluster.len() <= MAX_CLUSTER {
            safe.push_str(cluster);
        } else {
            cut_cluster(cluster, safe);
        }
    }
}

/// What is alone in its cluster, has no shape, and was let through because it has a place there.
fn may_be_invisible(cluster: &str) -> bool {
    cluster == "\t" || cluster.chars().all(|c| is_direction_mark(c) || c == ZWSP)
}

/// Cuts before a character with a shape, so that what modifies it stays with it.
fn cut_cluster(cluster: &str, safe: &mut String) {
    let mut count = 0;
    for c in cluster.chars() {
        if count >= MAX_CLUSTER && !is_zero_width(c) {
            if safe.ends_with(ZWJ) {
                safe.pop();
            }
            safe.push('�');
            count = 1;
        }
        safe.push(c);
        count += 1;
    }
}

//! Finds web addresses in a text, and says where on the screen they are.
//!
//! A link must lead where it seems to lead: an address whose host is not wholly ASCII, or that holds a user's name before
//! the host (`https://bank.example@evil.example`), is plain text.

use super::width::width;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The longest address that is made a link, in bytes. Terminals refuse longer ones at about this length.
pub const MAX_LINK: usize = 2048;

const SCHEMES: [&str; 2] = ["https://", "http://"];

/// Cells of the screen that belong to a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSpan {
    /// Which row of the screen.
    pub y: u16,
    /// The first column.
    pub x_from: u16,
    /// The column after the last.
    pub x_to: u16,
    /// Where it leads.
    pub url: String,
}

impl LinkSpan {
    /// The spans of `links` in one row of `text`, as [`super::wrap`] gave it, when it is drawn at (`x`, `y`).
    pub fn of_row(text: &str, row: &Range<usize>, links: &[Range<usize>], x: u16, y: u16) -> Vec<Self> {
        let columns =
            |range: Range<usize>| u16::try_from(width(text.get(range).unwrap_or_default())).unwrap_or(u16::MAX);
        let behind = links.partition_point(|link| link.end <= row.start);
        let here = links.iter().skip(behind).take_while(|link| link.start < row.end);
        here.map(|link| {
            let (from, to) = (link.start.max(row.start), link.end.min(row.end));
            let x_from = x.saturating_add(columns(row.start..from));
            let url = text.get(link.clone()).unwrap_or_default().to_owned();
            Self { y, x_from, x_to: x_from.saturating_add(columns(from..to)), url }
        })
        .collect()
    }
}

/// Whether an address may be given to a terminal: printable ASCII, of the web, of a sane length.
pub fn safe_link(url: &str) -> bool {
    url.len() <= MAX_LINK && url.bytes().all(|byte| byte.is_ascii_graphic()) && scheme(url).is_some()
}

/// The http and https addresses in `text`, as ranges of it, first one first. None splits a cluster.
pub fn links(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = next_scheme(text, from) {
        let run = text.get(at..).unwrap_or_default();
        let run = run.get(..run.bytes().position(|byte| !belongs(byte)).unwrap_or(run.len())).unwrap_or_default();
        from = at + run.len();
        found.extend(address(text, at, run));
    }
    found
}

/// Where the next scheme stands that begins a word, not before `from`.
fn next_scheme(text: &str, mut from: usize) -> Option<usize> {
    loop {
        let colon = from + text.get(from..)?.find("://")?;
        let head = text.get(..colon + 3)?;
        let at = SCHEMES.iter().find_map(|scheme| {
            let at = head.len().checked_sub(scheme.len())?;
            head.get(at..)?.eq_ignore_ascii_case(scheme).then_some(at)
        });
        match at {
            Some(at) if at >= from && begins_word(head, at) => return Some(at),
            _ => from = colon + 3,
        }
    }
}

fn begins_word(head: &str, at: usize) -> bool {
    let Some(before) = head.get(..at).and_then(|text| text.chars().next_back()) else { return true };
    let joined: String = [before, 'h'].iter().collect();
    !before.is_ascii_alphanumeric() && joined.graphemes(true).nth(1).is_some()
}

/// The link that a run of address characters at `at` holds, if it leads where it seems to.
fn address(text: &str, at: usize, run: &str) -> Option<Range<usize>> {
    let behind = text.get(at + run.len()..).unwrap_or_default();
    let run = if cluster_goes_on(run, behind) { run.get(..run.len() - 1)? } else { run };
    let rest = run.get(scheme(run)?..)?;
    let host = rest.find(['/', '?', '#']);
    let authority = rest.get(..host.unwrap_or(rest.len()))?;
    if authority.contains('@') || (host.is_none() && goes_on(behind)) {
        return None;
    }
    let url = trimmed(run);
    let host_is_there = url.get(scheme(url)?..)?.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    (host_is_there && safe_link(url)).then_some(at..at + url.len())
}

/// The length of the scheme that `url` begins with.
fn scheme(url: &str) -> Option<usize> {
    let begins = |scheme: &&&str| url.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().find(begins).map(|scheme| scheme.len())
}

/// What an address is made of: printable ASCII but for what RFC 3986 leaves out.
fn belongs(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// Whether what follows a run is drawn on its last character: a mark, say.
fn cluster_goes_on(run: &str, behind: &str) -> bool {
    let Some(next) = behind.chars().next() else { return false };
    let last = run.chars().next_back();
    last.into_iter().chain([next]).collect::<String>().graphemes(true).nth(1).is_none()
}

/// Whether a host that is cut here by something foreign seems to go on: by a letter or mark, or by what was named or
/// replaced in it.
fn goes_on(behind: &str) -> bool {
    let foreign = |c: char| c.is_alphanumeric() || matches!(c, '�' | '\u{2400}'..='\u{2426}');
    behind.starts_with("<U+") || behind.starts_with(foreign) || cluster_goes_on("x", behind)
}

/// Without the punctuation of the sentence around it, and without closing brackets that nothing opened.
fn trimmed(run: &str) -> &str {
    let count = |bracket| run.matches(bracket).count();
    let mut surplus = [(')', count(')').saturating_sub(count('('))), (']', count(']').saturating_sub(count('[')))];
    let mut url = run;
    while let Some(last) = url.chars().next_back() {
        let unopened = surplus.iter_mut().find(|(bracket, left)| *bracket == last && *left > 0);
        match unopened {
            Some((_, left)) => *left -= 1,
            None if matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~') => {}
            None => break,
        }
        url = url.get(..url.len() - 1).unwrap_or_default();
    }
    url
}

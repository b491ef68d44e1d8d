//! Links as terminals know them: `ESC ] 8 ; id=… ; URL ESC \` before the text and the same without URL behind it.

use aside_tui::LinkSpan;
use aside_tui::text::safe_link;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};

/// How the names of terminals begin that would print a link's sequence.
const PRINTING: [&str; 6] = ["dumb", "linux", "eterm", "vt1", "vt2", "cons"];

/// The links of a frame, by place. Holds no URL that is not printable ASCII, so none can end its own sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// By row and first column: the column after the last, and the URL. They do not overlap.
    spans: BTreeMap<(u16, u16), (u16, String)>,
}

impl Links {
    /// Of overlapping spans the last one wins where they meet.
    pub(super) fn new(spans: &[LinkSpan]) -> Self {
        let mut links = Self::default();
        let safe = |span: &&LinkSpan| span.x_from < span.x_to && safe_link(&span.url);
        for span in spans.iter().filter(safe) {
            links.cut(span.y, span.x_from, span.x_to);
            links.spans.insert((span.y, span.x_from), (span.x_to, span.url.clone()));
        }
        links
    }

    /// Frees the columns `from..to` of a row.
    fn cut(&mut self, y: u16, from: u16, to: u16) {
        let overlaps = |&(&(_, start), &(end, _)): &(&(u16, u16), &(u16, String))| start < to && end > from;
        let here: Vec<_> = self.spans.range((y, 0)..=(y, u16::MAX)).filter(overlaps).map(|(&key, _)| key).collect();
        for (y, start) in here {
            let Some((end, url)) = self.spans.remove(&(y, start)) else { continue };
            if end > to {
                self.spans.insert((y, to), (end, url.clone()));
            }
            if start < from {
                self.spans.insert((y, start), (from, url));
            }
        }
    }

    /// Where the cell at (`x`, `y`) leads.
    pub(super) fn at(&self, x: u16, y: u16) -> Option<&str> {
        let (_, (end, url)) = self.spans.range((y, 0)..=(y, x)).next_back()?;
        (x < *end).then_some(url.as_str())
    }

    /// The (row, column) of each cell that leads somewhere here, and elsewhere or nowhere in `other`.
    pub(super) fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (u16, u16)> + 'a {
        let cells = |(&(y, from), (to, url)): (&(u16, u16), &'a (u16, String))| (from..*to).map(move |x| (y, x, url));
        let differs = move |&(y, x, url): &(u16, u16, &String)| other.at(x, y) != Some(url.as_str());
        self.spans.iter().flat_map(cells).filter(differs).map(|(y, x, _)| (y, x))
    }
}

/// What follows leads to `url`. Parts of one link have one id, so that a terminal lights up all rows of it.
pub(super) fn open(writer: &mut impl Write, url: &str) -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    write!(writer, "\x1b]8;id={:x};{url}\x1b\\", hasher.finish())
}

/// What follows leads nowhere.
pub(super) fn close(writer: &mut impl Write) -> io::Result<()> {
    writer.write_all(b"\x1b]8;;\x1b\\")
}

/// Whether the terminal can be given links, as its environment tells. Most take them or leave them; a few print them, and
/// VTE before 0.50 crashed.
pub fn supported(var: impl Fn(&str) -> Option<String>) -> bool {
    let term = var("TERM").unwrap_or_default();
    let prints = PRINTING.iter().any(|kind| term.starts_with(kind)) || (term.is_empty() && var("WT_SESSION").is_none());
    let old_vte = var("VTE_VERSION").is_some_and(|version| version.parse().unwrap_or(0_u32) < 5_000);
    !prints && !old_vte
}

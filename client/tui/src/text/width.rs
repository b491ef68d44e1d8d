//! How many columns a text takes, and cutting it to fit.

use ratatui::buffer::CellWidth;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;

/// What stands for the rest of a text that was cut.
const REST: char = '…';

/// The columns a cluster takes where ratatui draws it: clusters that hold a control character are not drawn at all.
/// (Half-width voiced kana, `ｶﾞ`, are given a column too many by ratatui 0.30 with unicode-width 0.2.3; so they are here.)
fn cell(cluster: &str) -> usize {
    if cluster.contains(char::is_control) { 0 } else { usize::from(cluster.cell_width()) }
}

/// The clusters of a text (what a reader takes for one character), each with its first byte and its columns.
pub fn cells(text: &str) -> impl Iterator<Item = (usize, &str, usize)> {
    text.grapheme_indices(true).map(|(start, cluster)| (start, cluster, cell(cluster)))
}

/// The columns that `text` takes on one line when ratatui draws it.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.len();
    }
    cells(text).map(|(_, _, columns)| columns).sum()
}

/// `text` cut to at most `columns`, ending with `…` if anything is missing, and the columns it takes.
///
/// Reads no more of the text than fits.
pub fn clip(text: &str, columns: usize) -> (Cow<'_, str>, usize) {
    let mut taken = 0;
    // Where to cut, and the columns before it, if the text turns out not to fit.
    let mut cut = (0, 0);
    for (start, _, wide) in cells(text) {
        if taken < columns {
            cut = (start, taken);
        }
        taken += wide;
        if taken > columns {
            return clipped(text, cut, columns);
        }
    }
    (Cow::Borrowed(text), taken)
}

fn clipped(text: &str, (end, taken): (usize, usize), columns: usize) -> (Cow<'_, str>, usize) {
    if columns == 0 {
        return (Cow::Borrowed(""), 0);
    }
    let mut short = text.get(..end).unwrap_or_default().to_owned();
    short.push(REST);
    (Cow::Owned(short), taken + 1)
}

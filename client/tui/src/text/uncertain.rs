//! Which clusters terminals measure differently.

use unicode_width::UnicodeWidthChar;

/// The scripts before this character are drawn alike everywhere, a letter a column.
const FIRST_COMPLEX: char = '\u{590}';

/// Whether terminals disagree on the columns of a cluster, so that the cursor must be moved behind it.
///
/// More than one character (marks, joined emoji, flags, keycaps, conjuncts), East Asian ambiguous ones, and the narrow
/// ones of later scripts and symbols. Not single wide ones: what follows them is not in the next column, which moves the
/// cursor anyway.
pub fn uncertain(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => !c.is_ascii() && c.width() != Some(2) && (c >= FIRST_COMPLEX || c.width() != c.width_cjk()),
        (None, _) => false,
        _ => true,
    }
}

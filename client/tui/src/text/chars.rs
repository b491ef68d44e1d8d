//! Kinds of characters that decide what is harmless, from the Unicode standard's blocks and properties.

use unicode_width::UnicodeWidthChar;

/// Draws nothing by itself: marks, joiners, variation selectors, vowels and finals of conjoining Hangul.
pub fn is_zero_width(c: char) -> bool {
    c.width() == Some(0)
}

/// Steers the direction of what follows: embeddings, overrides, isolates, and the deprecated shaping switches.
pub fn steers_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// A mark with a direction and no shape: LRM, RLM, ALM.
pub fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// Of a script written from right to left.
pub fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{60b}' | '\u{60d}'..='\u{61b}' | '\u{61d}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Of a script in which joiners change the shape of letters: cursive and Indic ones, and those of South-East Asia.
pub fn takes_joiners(c: char) -> bool {
    is_right_to_left(c)
        || matches!(c, '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{1807}' | '\u{1820}'..='\u{18aa}'
            | '\u{1900}'..='\u{1aff}' | '\u{1b00}'..='\u{1c4f}' | '\u{1cd0}'..='\u{1cff}' | '\u{2d30}'..='\u{2d7f}'
            | '\u{a800}'..='\u{a95f}' | '\u{a980}'..='\u{aadf}' | '\u{abc0}'..='\u{abff}' | '\u{11000}'..='\u{11fff}')
}

/// Of a script written without spaces, whose writers put zero-width spaces between words.
pub fn takes_zero_width_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{f00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{1950}'..='\u{1aaf}' | '\u{a980}'..='\u{a9ff}' | '\u{aa60}'..='\u{aadf}')
}

/// Has ideographic variants: Han, also beyond the first plane.
pub fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}')
}

/// Shows nothing, or what only fonts decide, and has no honest place: zero-width and blank fillers, interlinear
/// annotation, invisible operators, private use, noncharacters, shorthand and music controls, stray tags.
pub fn is_never_shown(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{2060}'..='\u{2065}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{10ffff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Belongs to what follows: signs under or around numbers, and letters written before a cluster
/// (Grapheme_Cluster_Break=Prepend).
pub fn is_prepended(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{d4e}'
        | '\u{110bd}' | '\u{110cd}' | '\u{111c2}' | '\u{111c3}' | '\u{113d1}' | '\u{1193f}' | '\u{11941}'
        | '\u{11a3a}' | '\u{11a84}'..='\u{11a89}' | '\u{11d46}' | '\u{11f02}')
}

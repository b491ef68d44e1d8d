//! A corpus of scripts and attacks, drawn as ratatui draws it, with what was measured beside it.
//!
//! Each row is between bars; where they do not stand below each other, your viewer measures otherwise than ratatui.

use crate::text::{drawable, width, wrap};
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Style;

const CORPUS: &[(&str, &str)] = &[
    ("Latin", "The naïve café’s façade: well-known words, and antidisestablishmentarianism."),
    ("combining marks", "e\u{301}clair Vie\u{323}\u{302}t Nam a\u{30a}ngstro\u{308}m"),
    ("Han and Kana", "東京都に住んでいます。「こんにちは」と言った、ｶﾞｷﾞ。"),
    ("Hangul", "한국어 문장은 띄어쓰기를 합니다"),
    ("Hangul jamo", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8} \u{110f}\u{110f}\u{110f} ㅋㅋㅋ"),
    ("joined emoji", "family 👩‍👩‍👧‍👦 kiss 👩🏻‍❤️‍💋‍👨🏿 astronaut 👩🏽‍🚀 rainbow 🏳️‍🌈"),
    ("flags", "🇳🇱🇩🇪🇯🇵 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} lone 🇳 x"),
    ("skin tones", "👍🏻👍🏼👍🏽👍🏾👍🏿 wave 👋🏽"),
    ("keycaps", "1️⃣2️⃣3️⃣ #️⃣ *️⃣ 1\u{20e3}"),
    ("VS15 and VS16", "❤ ❤︎ ❤️ ☎︎ ☎️ ⌚︎ ⌚️"),
    ("Hebrew", "שלום עולם\u{200f}! בְּרֵאשִׁ֖ית בָּרָ֣א"),
    ("Arabic", "السلام عليكم لا إله مُحَمَّد"),
    ("Persian", "می\u{200c}خواهم کتاب\u{200c}ها را بخوانم"),
    ("mixed directions", "price ₪ 100 (שקל) and ١٢٣ in عربي text"),
    ("Thai", "ภาษาไทยไม่มีการเว้นวรรคระหว่างคำ"),
    ("Devanagari", "नमस्ते दुनिया क्षत्रिय स्त्री क्\u{200d}ष"),
    ("Khmer", "ភាសា\u{200b}ខ្មែរ ព្រះ\u{200b}រាជា"),
    ("tabs", "a\tb\n\tindented\ncolumn\tof\t漢\tx"),
    ("escape sequences", "\u{1b}[2J\u{1b}]0;owned\u{7} \u{9b}31m \u{8}\u{8}\u{8} a\rb\u{0}"),
    ("overrides", "abc\u{202e}txt.exe\u{202c} \u{2066}x\u{2069} a\u{200f}b"),
    ("hidden", "pay\u{200b}pal \u{feff}x\u{ad}y \u{3164} \u{e0041}\u{e0042} \u{f8ff}"),
    (
        "zalgo",
        "Z\u{334}\u{335}\u{336}\u{337}\u{338}\u{339}\u{33a}\u{33b}\u{33c}\u{33d}\u{33e}\u{33f}a\u{301}\u{301}lgo",
    ),
    ("overlong clusters", "क्क्क्क्क्क्क्क्क्क्क्क्क्क्क्क् 👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩‍👩"),
    ("mark on nothing", "\u{301}x\n\u{5b8}ש"),
    ("link", "see https://example.com/a/rather/long/path?with=query."),
];

/// What is in the buffer's row `y`, without the cells that a wide cluster covers.
fn row_of(buffer: &Buffer, y: u16) -> String {
    let mut drawn = String::new();
    let mut x = 0;
    while x < buffer.area.width {
        let symbol = buffer[(x, y)].symbol();
        drawn.push_str(symbol);
        x += symbol.cell_width().max(1);
    }
    drawn
}

fn drawn(text: &str, columns: u16) -> String {
    let text = drawable(text);
    let mut shown = String::new();
    for row in wrap(&text, columns) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, 1));
        let (end, _) = buffer.set_stringn(0, 0, &text[row.clone()], columns.into(), Style::new());
        assert_eq!(usize::from(end), width(&text[row.clone()]), "measured otherwise than drawn: {:?}", &text[row]);
        shown.push_str(&format!("|{}| {end}\n", row_of(&buffer, 0)));
    }
    shown
}

#[test]
fn the_corpus_in_12_columns() {
    insta::assert_snapshot!(all(12));
}

#[test]
fn the_corpus_in_30_columns() {
    insta::assert_snapshot!(all(30));
}

fn all(columns: u16) -> String {
    CORPUS.iter().map(|(name, text)| format!("{name}\n{}\n", drawn(text, columns))).collect()
}

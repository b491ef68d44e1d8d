//! What is made visible and what stays.

use crate::text::{clip, drawable, harmless, one_line, width};

#[test]
fn nothing_that_steers_a_terminal_survives() {
    let hostile = "a\u{1b}]0;title\u{7}b\u{9b}2J\u{202e}c\rd\u{7f}";
    let safe = harmless(hostile);
    assert_eq!(safe, "a␛]0;title␇b�2J<U+202E>c␍d␡");
    assert!(safe.chars().all(|c| !c.is_control()));
}

#[test]
fn people_keep_their_text() {
    let texts = [
        "naïve 👩‍👩‍👧 שלום\n\ttwo",
        // Emoji: skin tones, a tone in a joined one, heart with VS16, keycap, flags of letters and of tags.
        "👍🏽 👩🏽‍🚀 ❤️ ❤︎ 1️⃣ 🇳🇱 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} 👩🏻‍❤️‍💋‍👨🏿 🏳️‍🌈",
        // Persian with ZWNJ, Hindi with ZWJ, Malayalam, Khmer and Thai with zero-width spaces.
        "می\u{200c}خواهم",
        "क्\u{200d}ष ക്\u{200d}",
        "ភាសា\u{200b}ខ្មែរ ไทย\u{200b}ภาษา",
        // Marks from right-to-left keyboards; variants of Han and Mongolian.
        "שלום\u{200f}! (abc)\u{200e}",
        "葛\u{e0100} ᠠ\u{180b}",
        // Decomposed Vietnamese and Hangul, pointed Hebrew.
        "Vie\u{323}\u{302}t 한 בְּרֵאשִׁ֖ית",
    ];
    for text in texts {
        assert_eq!(harmless(text), text);
    }
}

#[test]
fn what_is_invisible_has_a_place_or_a_name() {
    let cases = [
        ("pay\u{200b}pal", "pay<U+200B>pal"),
        ("a\u{200d}b\u{200c}c", "a<U+200D>b<U+200C>c"),
        ("a\u{200e}b", "a<U+200E>b"),
        ("soft\u{ad}hyphen\u{2060}\u{feff}", "soft<U+00AD>hyphen<U+2060><U+FEFF>"),
        ("\u{3164}\u{115f}\u{ffa0}", "<U+3164><U+115F><U+FFA0>"),
        ("x\u{e0068}\u{e0069}", "x<U+E0068><U+E0069>"),
        ("\u{1f3f4}\u{e0067}x", "\u{1f3f4}<U+E0067>x"),
        ("\u{fff9}a\u{fffa}b\u{fffb}", "<U+FFF9>a<U+FFFA>b<U+FFFB>"),
        ("\u{f8ff}\u{10eeee}\u{fffe}", "<U+F8FF><U+10EEEE><U+FFFE>"),
        ("\u{301}on nothing", "<U+0301>on nothing"),
        ("\u{1161}", "<U+1161>"),
        ("a\u{fe0f}\u{fe00} 葛\u{e0100}\u{e0101}", "a<U+FE0F>\u{fe00} 葛\u{e0100}<U+E0101>"),
        ("\u{2066}x\u{2069}\u{206a}", "<U+2066>x<U+2069><U+206A>"),
        ("a\r\nb\u{2028}c\u{2029}d", "a\nb\nc\nd"),
        ("\u{17d8}", "\u{17d4}\u{179b}\u{17d4}"),
    ];
    for (text, safe) in cases {
        assert_eq!(harmless(text), safe, "{text:?}");
    }
}

#[test]
fn marks_and_clusters_are_bounded() {
    let zalgo = format!("e{}x", "\u{301}".repeat(5_000));
    assert_eq!(harmless(&zalgo), format!("e{}�x", "\u{301}".repeat(8)));
    let conjunct = "क्".repeat(5_000);
    assert!(crate::text::cells(&harmless(&conjunct)).all(|(_, _, wide)| wide <= 25));
    let family = vec!["👩"; 1_000].join("\u{200d}");
    assert!(crate::text::cells(&harmless(&family)).all(|(_, cluster, _)| cluster.chars().count() <= 32));
}

#[test]
fn one_line_has_one_line() {
    assert_eq!(one_line("a\nb\tc\r\nd"), "a b c d");
}

#[test]
fn tabs_go_to_the_next_stop() {
    assert_eq!(drawable("\ta\tbcd\tefgh\t漢\t|\n\t|"), "    a   bcd efgh    漢  |\n    |");
}

#[test]
fn widths_are_those_of_the_cells() {
    for (text, columns) in [("", 0), ("abc", 3), ("漢字", 4), ("e\u{301}", 1), ("👩‍👩‍👧", 2), ("لا", 2), ("\t", 0)]
    {
        assert_eq!(width(text), columns, "{text:?}");
    }
}

#[test]
fn clipping_keeps_clusters_whole() {
    let cases = [
        ("hello", 5, "hello", 5),
        ("hello", 4, "hel…", 4),
        ("漢字漢字", 5, "漢字…", 5),
        ("漢字漢字", 4, "漢…", 3),
        ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…", 2),
        ("a", 0, "", 0),
        ("漢", 1, "…", 1),
        ("", 0, "", 0),
        ("ab\u{200f}", 2, "ab\u{200f}", 2),
    ];
    for (text, columns, short, taken) in cases {
        let (clipped, wide) = clip(text, columns);
        assert_eq!((clipped.as_ref(), wide), (short, taken), "{text:?} in {columns}");
    }
}

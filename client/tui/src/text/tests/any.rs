//! What holds for any text, tried on texts made of the characters that make trouble.

use crate::text::{cells, clip, drawable, harmless, links, rows, width, wrap};
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

const PARTS: &[&str] = &[
    "a",
    "word",
    " ",
    "  ",
    "\n",
    "\t",
    "\r",
    "\r\n",
    "-",
    "(",
    ")",
    "漢",
    "。",
    "「",
    "한",
    "\u{1100}",
    "\u{1161}",
    "\u{11a8}",
    "\u{115f}",
    "👩",
    "👍",
    "❤",
    "🇳",
    "🏽",
    "\u{1f3f4}",
    "\u{e0067}",
    "\u{e007f}",
    "\u{fe0f}",
    "\u{fe0e}",
    "\u{fe01}",
    "\u{20e3}",
    "1",
    "’",
    "\u{301}",
    "\u{5b8}",
    "\u{e31}",
    "\u{93f}",
    "\u{903}",
    "क",
    "्",
    "र",
    "ष",
    "ה",
    "ل",
    "ا",
    "ก",
    "ខ",
    "\u{17d2}",
    "\u{17d8}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{200e}",
    "\u{200f}",
    "\u{61c}",
    "\u{202e}",
    "\u{2066}",
    "\u{2028}",
    "\u{a0}",
    "\u{3000}",
    "\u{ad}",
    "\u{feff}",
    "\u{600}",
    "\u{70f}",
    "\u{d4e}",
    "ﾞ",
    "ｶ",
    "\u{1b}",
    "\u{9b}",
    "\u{7f}",
    "\u{0}",
    "\u{e0100}",
    "葛",
    "\u{180b}",
    "ᠠ",
    "\u{34f}",
    "\u{f8ff}",
    "�",
    "<U+",
    "https://",
    "a.b/",
    "@",
    ".",
];

fn troublesome() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => prop::sample::select(PARTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => (prop::sample::select(PARTS), 1..60usize).prop_map(|(part, count)| part.repeat(count)),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

fn drawn_nowhere(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn harmless_text_holds_no_control_and_stays_as_it_is(text in troublesome()) {
        let safe = harmless(&text);
        let steering = |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c);
        prop_assert!(!safe.contains(steering), "{safe:?}");
        prop_assert_eq!(harmless(&safe), safe);
    }

    #[test]
    fn clusters_of_harmless_text_are_bounded(text in troublesome()) {
        for (_, cluster, wide) in cells(&harmless(&text)) {
            prop_assert!(wide <= 48 && cluster.chars().count() <= 24 + 16, "{cluster:?}");
        }
    }

    #[test]
    fn no_row_is_too_wide_and_none_of_the_text_is_lost(text in troublesome(), columns in 2..40u16) {
        let text = drawable(&text);
        let found = wrap(&text, columns);
        prop_assert_eq!(rows(&text, columns), found.len());
        let mut together = String::new();
        let mut end = 0;
        for row in found {
            prop_assert!(row.start >= end);
            prop_assert_eq!(drawn_nowhere(&text[end..row.start]), "");
            prop_assert!(width(&text[row.clone()]) <= usize::from(columns), "{:?}", &text[row]);
            together.push_str(&text[row.clone()]);
            end = row.end;
        }
        prop_assert_eq!(drawn_nowhere(&together), drawn_nowhere(&text));
    }

    #[test]
    fn any_text_at_all_can_be_wrapped_and_clipped(text in any::<String>(), columns in 0..20u16) {
        prop_assert_eq!(wrap(&text, columns).len(), rows(&text, columns));
        let (clipped, wide) = clip(&text, columns.into());
        prop_assert!(wide <= columns.into());
        prop_assert_eq!(width(&clipped), wide);
    }

    #[test]
    fn a_clipped_text_fits(text in troublesome(), columns in 0..20usize) {
        let text = drawable(&text);
        let (clipped, wide) = clip(&text, columns);
        prop_assert!(wide <= columns);
        prop_assert_eq!(width(&clipped), wide);
        prop_assert!(wide + 3 > columns.min(width(&text)) || text.graphemes(true).any(|c| width(c) > 2));
    }

    #[test]
    fn links_are_ascii_and_split_no_cluster(text in troublesome()) {
        let text = drawable(&text);
        for link in links(&text) {
            prop_assert!(text[link.clone()].bytes().all(|byte| byte.is_ascii_graphic()));
            let whole = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]);
            prop_assert_eq!(whole.filter(|at| *at == link.start || *at == link.end).count(), 2);
        }
    }
}

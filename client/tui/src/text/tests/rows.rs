//! Where rows end.

use crate::text::{rows, wrap};

fn wrapped(text: &str, columns: u16) -> Vec<&str> {
    wrap(text, columns).into_iter().map(|row| &text[row]).collect()
}

#[test]
fn rows_end_between_words() {
    assert_eq!(wrapped("the quick brown fox", 10), ["the quick", "brown fox"]);
    assert_eq!(wrapped("the quick  brown", 9), ["the quick", "brown"]);
    assert_eq!(wrapped("well-known e-mail -5 --flag", 6), ["well-", "known", "e-mail", "-5", "--flag"]);
    assert_eq!(wrapped("no\u{a0}break here", 9), ["no\u{a0}break", "here"]);
}

#[test]
fn long_words_begin_a_row_and_are_cut() {
    assert_eq!(wrapped("ab cdefghijkl mn", 5), ["ab", "cdefg", "hijkl", "mn"]);
    assert_eq!(wrapped("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 5), ["👩‍👩‍👧👩‍👩‍👧", "👩‍👩‍👧"]);
}

#[test]
fn line_breaks_and_empty_lines_stay() {
    assert_eq!(wrapped("", 5), [""]);
    assert_eq!(wrapped("\n", 5), ["", ""]);
    assert_eq!(wrapped("a\n\nb\n", 5), ["a", "", "b", ""]);
    assert_eq!(wrapped("     \nx", 3), ["", "x"]);
}

#[test]
fn spaces_hang_at_the_end_and_set_in_at_the_beginning() {
    assert_eq!(wrapped("abc     d", 4), ["abc", "d"]);
    assert_eq!(wrapped("  fn x() {", 6), ["  fn", "x() {"]);
    assert_eq!(wrapped("    indented", 8), ["indented"]);
}

#[test]
fn east_asian_text_breaks_anywhere_but_before_closing_marks() {
    assert_eq!(wrapped("東京都に住む。", 6), ["東京都", "に住", "む。"]);
    assert_eq!(wrapped("「東京」へ", 5), ["「東", "京」", "へ"]);
    assert_eq!(wrapped("한국어 문장은 띄어", 10), ["한국어", "문장은", "띄어"]);
}

#[test]
fn a_cluster_wider_than_the_screen_is_cut() {
    let conjunct = "क्ष्त्र्य";
    assert!(wrapped(conjunct, 2).iter().all(|row| crate::text::width(row) <= 2));
    assert_eq!(wrapped(conjunct, 2).concat(), conjunct);
}

#[test]
fn long_texts_without_breaks_take_as_many_rows_as_they_must() {
    let size = 60 * 1024;
    assert_eq!(rows(&"x".repeat(size), 80), size.div_ceil(80));
    assert_eq!(rows(&"\n".repeat(size), 80), size + 1);
    assert_eq!(rows(&" ".repeat(size), 80), 1);
    assert_eq!(rows(&format!("e{}", "\u{301}".repeat(size / 2)), 80), 1);
    assert!(rows(&"\u{1100}".repeat(size / 3), 80) >= size * 2 / 3 / 80);
    assert_eq!(rows(&"क्".repeat(size / 6), 2), size / 6 / 2);
}

//! Breaks sentences into lines at spaces, and what is longer than a line (paths, links) wherever it must.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The lines of a text, none wider than `width` columns unless a single character is.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|paragraph| wrap_paragraph(paragraph, width.max(1))).collect()
}

fn wrap_paragraph(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let wide = word.width();
        if used > 0 && used + 1 + wide <= width {
            push(&mut lines, " ");
            push(&mut lines, word);
            used += 1 + wide;
            continue;
        }
        if used > 0 {
            lines.push(String::new());
        }
        used = hard(&mut lines, word, width);
    }
    lines
}

/// Puts a word at the beginning of the last line, breaking it where it does not fit; returns the columns then used.
fn hard(lines: &mut Vec<String>, word: &str, width: usize) -> usize {
    let mut used = 0;
    for grapheme in word.graphemes(true) {
        let wide = grapheme.width();
        if used > 0 && used + wide > width {
            lines.push(String::new());
            used = 0;
        }
        push(lines, grapheme);
        used += wide;
    }
    used
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("in /a/very/long/path now", 8), ["in", "/a/very/", "long/pat", "h now"]);
        assert_eq!(wrap("", 5), [""; 0]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("日", 0), ["日"]);
    }
}

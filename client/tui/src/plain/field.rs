//! A line that is being typed: readline keys, wide characters, wiped when dropped and never in `Debug`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthChar;
use zeroize::Zeroizing;

/// One line of text and a cursor in it.
pub(crate) struct Field {
    /// Its room is taken at the beginning and never grows, so that no copy of a secret is left behind.
    text: Zeroizing<String>,
    /// In bytes, always between characters.
    cursor: usize,
    /// The most bytes.
    most: usize,
}

impl std::fmt::Debug for Field {
    /// Never the text: it may be a recovery word or an invite.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Field(…)")
    }
}

impl Field {
    /// Empty, for at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { text: Zeroizing::new(String::with_capacity(most)), cursor: 0, most }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Forgets the text.
    pub(crate) fn clear(&mut self) {
        zeroize::Zeroize::zeroize(&mut *self.text);
        self.cursor = 0;
    }

    /// Puts a text in the place of what is there.
    pub(crate) fn set(&mut self, text: &str) {
        self.clear();
        self.insert(text);
    }

    /// Inserts at the cursor what can be shown in a line, as far as there is room.
    pub(crate) fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| c.width().is_some_and(|width| width > 0)) {
            if self.text.len() + c.len_utf8() > self.most {
                return;
            }
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// Does what a key means in a line; false if it means nothing.
    pub(crate) fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char(c) if control && !alt => return self.control(c),
            KeyCode::Char(c) if alt && !control => return self.alt(c),
            // Together they are AltGr on some keyboards, which types.
            KeyCode::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            KeyCode::Left if control || alt => self.cursor = self.word_before(),
            KeyCode::Right if control || alt => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Backspace if control || alt => self.cut(self.word_before(), self.cursor),
            KeyCode::Backspace => self.cut(self.before(), self.cursor),
            KeyCode::Delete => self.cut(self.cursor, self.after()),
            _ => return false,
        }
        true
    }

    fn control(&mut self, c: char) -> bool {
        match c {
            'a' => self.cursor = 0,
            'e' => self.cursor = self.text.len(),
            'b' => self.cursor = self.before(),
            'f' => self.cursor = self.after(),
            'h' => self.cut(self.before(), self.cursor),
            'd' => self.cut(self.cursor, self.after()),
            'u' => self.cut(0, self.cursor),
            'k' => self.cut(self.cursor, self.text.len()),
            'w' => self.cut(self.word_before(), self.cursor),
            _ => return false,
        }
        true
    }

    fn alt(&mut self, c: char) -> bool {
        match c {
            'b' => self.cursor = self.word_before(),
            'f' => self.cursor = self.word_after(),
            'd' => self.cut(self.cursor, self.word_after()),
            _ => return false,
        }
        true
    }

    fn cut(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.cursor..].chars().next().map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }

    fn word_before(&self) -> usize {
        let head = self.text[..self.cursor].trim_end();
        head.char_indices().rfind(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8())
    }

    fn word_after(&self) -> usize {
        let tail = &self.text[self.cursor..];
        let word = tail.trim_start();
        let start = self.cursor + tail.len() - word.len();
        word.find(char::is_whitespace).map_or(self.text.len(), |at| start + at)
    }

    /// The part of the text that fits in so many columns and holds the cursor, and the cursor's column in it.
    pub(crate) fn window(&self, width: usize) -> (&str, usize) {
        let wide = |c: char| c.width().unwrap_or(0);
        let (mut start, mut column) = (self.cursor, 0);
        for (at, c) in self.text[..self.cursor].char_indices().rev() {
            if column + wide(c) > width {
                break;
            }
            (start, column) = (at, column + wide(c));
        }
        let (mut end, mut used) = (self.cursor, column);
        for c in self.text[self.cursor..].chars() {
            if used + wide(c) > width {
                break;
            }
            (end, used) = (end + c.len_utf8(), used + wide(c));
        }
        (&self.text[start..end], column)
    }
}

#[cfg(test)]
mod tests;

//! What is being written: a text area, and the draft it is kept as.

use crate::text;
use aside_protocol::limits::MAX_TEXT;
use ratatui::style::Style;
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

/// The composer of one conversation.
#[derive(Debug)]
pub struct Composer {
    area: TextArea<'static>,
    /// What the store has as the draft; none if that is not known.
    saved: Option<String>,
}

impl Default for Composer {
    fn default() -> Self {
        Self { area: area(), saved: Some(String::new()) }
    }
}

impl Composer {
    /// Goes on with a draft; what was typed before it was known stands behind it.
    pub fn begin_with(&mut self, draft: String) {
        // A draft and a few keys fit; should they not, what was typed is the newer one.
        let _ = self.give_back(&draft);
        self.saved = Some(draft);
    }

    /// The widget, for drawing.
    pub fn area(&self) -> &TextArea<'static> {
        &self.area
    }

    /// The widget, for editing.
    pub fn edit(&mut self) -> &mut TextArea<'static> {
        &mut self.area
    }

    /// What is written.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.area.lines().iter().all(String::is_empty)
    }

    /// Adds text where the cursor is, with line ends of any kind. Refuses what would make more than a message can hold.
    pub fn insert(&mut self, pasted: &str) -> Result<(), TooLong> {
        let bytes = self.bytes().saturating_add(pasted.len());
        if bytes > MAX_TEXT {
            return Err(TooLong(bytes));
        }
        self.area.insert_str(pasted.replace("\r\n", "\n").replace('\r', "\n"));
        Ok(())
    }

    /// Takes the text out for sending, which forgets the draft too.
    pub fn take(&mut self) -> String {
        let text = self.text();
        *self = Self::default();
        text
    }

    /// Throws the text away; the draft is still to be forgotten.
    pub fn clear(&mut self) {
        self.area = area();
    }

    /// Whether no message can hold the text.
    pub fn is_too_long(&self) -> bool {
        self.bytes() > MAX_TEXT
    }

    /// The text to keep, if the store has another one.
    pub fn unsaved(&mut self) -> Option<String> {
        let text = self.text();
        (self.saved.as_ref() != Some(&text)).then(|| {
            self.saved = Some(text.clone());
            text
        })
    }

    /// The store may not have what it was given.
    pub fn doubt(&mut self) {
        self.saved = None;
    }

    /// Puts a text that came back before what was begun since.
    pub fn give_back(&mut self, text: &str) -> Result<(), TooLong> {
        if text.is_empty() {
            return Ok(());
        }
        let begun = if self.is_empty() { "" } else { "\n" };
        self.area.move_cursor(CursorMove::Jump(0, 0));
        let given = self.insert(&format!("{text}{begun}"));
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
        given
    }

    /// Rows that the text takes in so many columns.
    pub fn rows(&self, columns: u16) -> usize {
        self.area.lines().iter().map(|line| text::rows(&text::drawable(line), columns).max(1)).sum()
    }

    fn bytes(&self) -> usize {
        self.area.lines().iter().map(|line| line.len() + 1).sum::<usize>().saturating_sub(1)
    }
}

/// The text would have so many bytes, and a message holds [`MAX_TEXT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong(pub usize);

fn area() -> TextArea<'static> {
    let mut area = TextArea::default();
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    // The terminal's own cursor is used, so that input methods and screen readers find it.
    area.set_cursor_style(Style::new());
    area.set_cursor_line_style(Style::new());
    area.set_max_histories(200);
    area
}

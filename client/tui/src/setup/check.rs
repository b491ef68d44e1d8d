//! Has three of the words typed back, so that they really were written down.

use super::words::WordsStep;
use super::{Go, Step};
use crate::plain::{Field, Sheet};
use crossterm::event::{KeyCode, KeyEvent};

/// Bytes that can be typed.
const MOST: usize = 64;

/// The step.
#[derive(Debug)]
pub(super) struct CheckStep {
    /// Places of the words asked for, counted from 0.
    asked: [usize; 3],
    /// How many of them were right.
    right: usize,
    field: Field,
    error: Option<String>,
}

impl Default for CheckStep {
    fn default() -> Self {
        Self::new([0, 1, 2])
    }
}

impl CheckStep {
    pub(super) fn new(asked: [usize; 3]) -> Self {
        Self { asked, right: 0, field: Field::new(MOST), error: None }
    }

    pub(super) fn key(&mut self, key: KeyEvent, words: &WordsStep) -> Go {
        match key.code {
            KeyCode::Esc => {
                self.error = None;
                return Go::To(Step::Words);
            }
            KeyCode::Enter => return self.enter(words),
            _ if self.field.key(key) => self.error = None,
            _ => {}
        }
        Go::Stay
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.error = None;
        self.field.insert(text.trim());
    }

    /// Forgives case and spaces.
    fn enter(&mut self, words: &WordsStep) -> Go {
        let Some(at) = self.asked.get(self.right).copied() else { return Go::To(Step::Opening) };
        let typed = self.field.text().trim();
        if typed.is_empty() {
            self.error = Some(format!("Type word {} first.", at + 1));
            return Go::Stay;
        }
        if !words.word(at).is_some_and(|word| word.eq_ignore_ascii_case(typed)) {
            self.error = Some(format!("That is not word {}. Look at your note; Esc shows the words again.", at + 1));
            return Go::Stay;
        }
        self.right += 1;
        self.error = None;
        self.field.clear();
        if self.right == self.asked.len() { Go::To(Step::Opening) } else { Go::Stay }
    }

    pub(super) fn view<'a>(&'a self, sheet: &mut Sheet<'a>) {
        sheet.text("Three of the words, from your note:");
        sheet.room();
        for at in self.asked.iter().take(self.right) {
            sheet.text(&format!("Word {}: ✓ right", at + 1));
        }
        if let Some(at) = self.asked.get(self.right) {
            sheet.text(&format!("Word {} ({} of {}):", at + 1, self.right + 1, self.asked.len()));
            sheet.field(&self.field);
        }
        if let Some(error) = &self.error {
            sheet.room();
            sheet.error(error);
        }
    }
}

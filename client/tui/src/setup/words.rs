//! Shows the 24 words, and asks whoever skips the check whether that is meant.

use super::{Go, Step};
use crate::plain::Sheet;
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

/// Columns of a number and the longest word, and of the gap after them.
const CELL: usize = 11;
const GAP: usize = 2;
/// Side by side at most: six rows of four are easy to copy.
const MOST: usize = 4;

/// The step.
#[derive(Default)]
pub(super) struct WordsStep {
    /// Separated by spaces.
    words: Zeroizing<String>,
    error: Option<String>,
    /// Asks whether to skip the check.
    skipping: bool,
    /// Lines scrolled, where the terminal is too small.
    from: usize,
}

impl std::fmt::Debug for WordsStep {
    /// Never the words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WordsStep").field("skipping", &self.skipping).finish_non_exhaustive()
    }
}

impl WordsStep {
    pub(super) fn new(words: Zeroizing<String>) -> Self {
        Self { words, ..Self::default() }
    }

    /// The word at a place, counted from 0.
    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.words.split_whitespace().nth(at)
    }

    pub(super) fn skipping(&self) -> bool {
        self.skipping
    }

    pub(super) fn from(&self) -> usize {
        self.from
    }

    pub(super) fn blame(&mut self, why: String) {
        self.error = Some(why);
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Go {
        self.error = None;
        if std::mem::take(&mut self.skipping) {
            return match key.code {
                KeyCode::Char('y' | 'Y') => Go::To(Step::Opening),
                KeyCode::Char('n' | 'N') | KeyCode::Esc => Go::Stay,
                _ => {
                    self.skipping = true;
                    Go::Stay
                }
            };
        }
        match key.code {
            KeyCode::Enter => return Go::To(Step::Check),
            KeyCode::Char('s' | 'S') => self.skipping = true,
            KeyCode::Down | KeyCode::Char('j') => {
                self.from = (self.from + 1).min(self.words.split_whitespace().count())
            }
            KeyCode::Up | KeyCode::Char('k') => self.from = self.from.saturating_sub(1),
            _ => {}
        }
        Go::Stay
    }

    pub(super) fn view<'a>(&'a self, sheet: &mut Sheet<'a>) {
        if self.skipping {
            sheet.text("Skip without checking? y/n");
            sheet.room();
            sheet.text("Without these words the account is lost when this device is. They are not shown again.");
            return;
        }
        if let Some(error) = &self.error {
            sheet.error(error);
            sheet.room();
        }
        sheet.text(if sheet.tall() {
            "Write them down: they are the only way to get this account back; they are not shown again."
        } else {
            "Write them down. Only they get this account back; they are not shown again."
        });
        sheet.room();
        self.grid(sheet);
    }

    fn grid<'a>(&'a self, sheet: &mut Sheet<'a>) {
        let columns = ((sheet.width() + GAP) / (CELL + GAP)).clamp(1, MOST);
        let number = Style::new().add_modifier(Modifier::DIM);
        let mut row = Line::default();
        for (at, word) in self.words.split_whitespace().enumerate() {
            if at > 0 && at % columns == 0 {
                sheet.line(std::mem::take(&mut row));
            }
            let fill = if (at + 1) % columns == 0 { 0 } else { (CELL - 3 + GAP).saturating_sub(word.len()) };
            row.push_span(Span::styled(format!("{:>2} ", at + 1), number));
            row.push_span(Span::styled(word, Style::new().add_modifier(Modifier::BOLD)));
            row.push_span(Span::raw(" ".repeat(fill)));
        }
        sheet.line(row);
    }
}

//! A profile that cannot be used: one plain screen that says what happened and what to do.

use crate::Cmd;
use crate::plain::{Hint, Plain};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::Rect;

/// Why there is nothing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// A few words.
    pub title: String,
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub todo: String,
    /// Whether Enter tries again: the user can remove the cause meanwhile.
    pub again: bool,
}

impl Closed {
    /// One that can be tried again.
    pub fn new(title: impl Into<String>, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { title: title.into(), what: what.into(), todo: todo.into(), again: true }
    }

    /// Trying again is useless while this program runs.
    #[must_use]
    pub fn for_good(self) -> Self {
        Self { again: false, ..self }
    }

    /// Another program has the profile; 0 if it did not say its number.
    pub fn locked(profile: &str, pid: u32) -> Self {
        let who = if pid == 0 { "Another aside".to_owned() } else { format!("Another aside (process {pid})") };
        Self::new(
            "This profile is in use",
            format!("{who} has the profile {profile} open, and only one can at a time."),
            "Close it, then press Enter. Or leave, and start aside -P NAME for another profile; -P works with every command.",
        )
    }

    /// A newer program wrote the database.
    pub fn newer(found: u32, known: u32) -> Self {
        Self::new(
            "Your history needs a newer aside",
            format!("A newer version wrote it (schema {found}; this one knows {known}). It was left as it is."),
            "Update aside, then start it again.",
        )
        .for_good()
    }

    /// The database cannot be read with its key.
    pub fn corrupt(path: &str) -> Self {
        Self::new(
            "Your history cannot be read",
            format!("{path} is damaged, or db.key beside it is not its key."),
            "Restore the whole folder from one backup, then press Enter. Without a backup, move it away and register again.",
        )
    }

    /// There is a database and no key.
    pub fn key_missing(folder: &str) -> Self {
        Self::new(
            "The key of your history is missing",
            format!("{folder} holds the history, but not the file db.key that opens it."),
            "Put db.key back from a backup, then press Enter. Without it nobody can read the history: move the folder \
             away and register again.",
        )
    }

    /// A file or folder may not be used.
    pub fn no_permission(path: &str) -> Self {
        Self::new(
            "No permission",
            format!("aside may not use {path}."),
            "Check who owns it and its permissions, then press Enter. Or set ASIDE_HOME to a folder you may write to.",
        )
    }

    /// Nothing can be written.
    pub fn disk_full() -> Self {
        Self::new(
            "The disk is full",
            "There is no room left to write on. What was stored before is safe.",
            "Free some space, then press Enter.",
        )
    }

    /// The folder for profiles is not there, or is no folder.
    pub fn no_home(path: &str) -> Self {
        Self::new(
            "There is no place for your profile",
            format!("{path} cannot be made or used as a folder."),
            "Make it a folder, then press Enter. Or set ASIDE_HOME to a folder you may write to.",
        )
    }

    /// A key was pressed. Enter asks for the profile to be opened again, where that can help.
    pub fn key(&self, key: KeyEvent) -> Vec<Cmd> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            _ if key.kind == KeyEventKind::Release => Vec::new(),
            KeyCode::Char('c' | 'd') if control => vec![Cmd::Quit],
            KeyCode::Char('z') if control => vec![Cmd::Suspend],
            KeyCode::Char('q') | KeyCode::Esc => vec![Cmd::Quit],
            KeyCode::Enter if self.again => vec![Cmd::Reopen],
            _ => Vec::new(),
        }
    }

    /// Draws it.
    pub fn view(&self, frame: &mut Frame, area: Rect) {
        const AGAIN: &[Hint] = &[("Enter", "try again"), ("q", "leave")];
        const FOR_GOOD: &[Hint] = &[("q", "leave")];
        let hints = if self.again { AGAIN } else { FOR_GOOD };
        let plain = Plain { title: &self.title, hints, notice: None, from: 0 };
        plain.draw(frame, area, |sheet| {
            sheet.text(&self.what);
            sheet.room();
            sheet.text(&self.todo);
        });
    }
}

#[cfg(test)]
mod tests;

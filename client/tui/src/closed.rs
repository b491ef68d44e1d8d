//! A profile that cannot be used: one plain screen that says what happened and what to do.

/// Why there is nothing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// A few words.
    pub title: String,
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub todo: String,
}
impl Closed {
    pub fn key(&mut self, _: &crossterm::event::KeyEvent) -> Vec<crate::Cmd> {
        vec![crate::Cmd::Quit]
    }
    pub fn view(&self, _f: &mut ratatui::Frame, _a: ratatui::layout::Rect) {}
}

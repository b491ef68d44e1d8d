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

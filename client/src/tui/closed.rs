//! Errors as plain screens: what keeps a profile from being used, and what to do about it.

use aside_engine::EngineError;
use aside_store::StoreError;
use aside_tui::closed::Closed;
use std::io::ErrorKind;
use std::path::Path;

/// The screen for an error of the engine: files, database, profile.
pub fn closed(error: &EngineError) -> Closed {
    match error {
        EngineError::Store(error) => store(error),
        EngineError::NotRegistered => Closed::new(
            "There is no account in this profile",
            "No registration was completed in it.",
            "Leave, and start aside again: it asks for an invite.",
        )
        .for_good(),
        EngineError::Bug(_) => other("Something went wrong inside aside", error),
    }
}

fn store(error: &StoreError) -> Closed {
    match error {
        StoreError::Locked { folder, pid } => {
            let profile = folder.file_name().unwrap_or(folder.as_os_str());
            Closed::locked(&profile.to_string_lossy(), *pid)
        }
        StoreError::Newer { found, known, .. } => Closed::newer(*found, *known),
        StoreError::Corrupt(path) => Closed::corrupt(&shown(path)),
        StoreError::DiskFull => Closed::disk_full(),
        StoreError::File { path, why } => file(path, why.kind(), error),
        // A database without a key; a folder without either begins the first run instead.
        StoreError::Missing(folder) if folder.join("history.db").exists() => Closed::key_missing(&shown(folder)),
        StoreError::Missing(folder) => Closed::no_home(&shown(folder)),
        StoreError::Damaged | StoreError::Mls(_) | StoreError::Sql(_) | StoreError::Row(_) => {
            other("Your history cannot be used", error)
        }
    }
}

/// The screen for a file or folder that the system does not let us use.
pub(super) fn file(path: &Path, why: ErrorKind, error: &dyn std::fmt::Display) -> Closed {
    match why {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Closed::no_permission(&shown(path)),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Closed::no_home(&shown(path)),
        _ => other("A file cannot be used", error),
    }
}

/// An error whose own sentence says what to do.
fn other(title: &str, error: &dyn std::fmt::Display) -> Closed {
    Closed::new(title, sentence(&error.to_string()), "Press Enter to try again.")
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// An error's text as a sentence of its own. Addresses and paths at its beginning stay as they are.
pub(super) fn sentence(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let mut letters = text.chars();
    let begun = match letters.next() {
        Some(letter) if first.chars().all(char::is_alphabetic) => letter.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    };
    if begun.ends_with(['.', '?', '!']) { begun } else { begun + "." }
}

#[cfg(test)]
mod tests;

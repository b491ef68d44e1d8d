//! Looking for plaintext where none may be. Reads files only.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether `needle` is in `hay`, as it is or as UTF-16.
pub fn contains(hay: &[u8], needle: &str) -> bool {
    let wide: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [needle.as_bytes(), &wide].iter().any(|needle| hay.windows(needle.len()).any(|window| window == *needle))
}

/// Every file below `folder`.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("cannot read {folder:?}: {e}")).flatten() {
        let kind = entry.file_type().expect("file type");
        if kind.is_dir() {
            found.extend(files(&entry.path()));
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found
}

/// Files below `folder` whose content or name holds `needle`.
pub fn files_with(folder: &Path, needle: &str) -> Vec<PathBuf> {
    let named = |path: &Path| path.to_string_lossy().contains(needle);
    // A file that vanishes between listing and reading, as a journal does, holds nothing.
    let holds = |path: &Path| fs::read(path).is_ok_and(|bytes| contains(&bytes, needle));
    files(folder).into_iter().filter(|path| named(path) || holds(path)).collect()
}

/// Copies a folder and all below it; sockets and links are left out.
pub fn copy_folder(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).expect("below it"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("writable");
        fs::copy(&path, &target).unwrap_or_else(|e| panic!("cannot copy {path:?}: {e}"));
    }
}

#[cfg(test)]
mod tests;

//! Finds what is there, and only that.

use super::{contains, copy_folder, files_with};
use std::fs;

#[test]
fn plain_and_wide_text_is_found() {
    assert!(contains(b"..secret..", "secret"));
    assert!(contains(b"s\0e\0c\0r\0e\0t\0", "secret"));
    assert!(!contains(b"s.e.c.r.e.t", "secret"));
}

#[test]
fn files_are_searched_by_content_and_name_however_deep() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("one"), "xx secret xx").unwrap();
    fs::write(folder.path().join("secret.txt"), "").unwrap();
    fs::write(folder.path().join("other"), "nothing").unwrap();
    assert_eq!(files_with(folder.path(), "secret").len(), 2);
    let copy = tempfile::tempdir().unwrap();
    copy_folder(folder.path(), copy.path());
    assert_eq!(files_with(copy.path(), "secret").len(), 2);
}

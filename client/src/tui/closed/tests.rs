use super::*;
use std::path::PathBuf;

fn of(error: StoreError) -> Closed {
    closed(&error.into())
}

fn refused_by_system(why: ErrorKind) -> Closed {
    of(StoreError::File { path: PathBuf::from("/home/anna/x"), why: why.into() })
}

#[test]
fn each_error_has_its_screen() {
    let path = || PathBuf::from("/data/profiles/work");
    assert_eq!(of(StoreError::Locked { folder: path(), pid: 7 }), Closed::locked("work", 7));
    assert_eq!(of(StoreError::Newer { path: path(), found: 9, known: 3 }), Closed::newer(9, 3));
    assert_eq!(of(StoreError::Corrupt(path())), Closed::corrupt("/data/profiles/work"));
    assert_eq!(of(StoreError::DiskFull), Closed::disk_full());
    assert_eq!(refused_by_system(ErrorKind::PermissionDenied), Closed::no_permission("/home/anna/x"));
    assert_eq!(refused_by_system(ErrorKind::ReadOnlyFilesystem), Closed::no_permission("/home/anna/x"));
    assert_eq!(refused_by_system(ErrorKind::NotADirectory), Closed::no_home("/home/anna/x"));
}

#[test]
fn any_other_error_says_itself_what_to_do() {
    let damaged = of(StoreError::Damaged);
    assert!(damaged.what.starts_with("A part of the history is damaged; restore"), "{}", damaged.what);
    assert!(refused_by_system(ErrorKind::Other).what.contains("/home/anna/x"));
}

#[test]
fn sentences_begin_large_unless_with_an_address() {
    assert_eq!(sentence("cannot go on"), "Cannot go on.");
    assert_eq!(
        sentence("relay.example:1 is not a relay. Try another!"),
        "relay.example:1 is not a relay. Try another!"
    );
    assert_eq!(sentence("/tmp/x is gone"), "/tmp/x is gone.");
    assert_eq!(sentence(""), ".");
}

#![allow(clippy::unwrap_used)]
//! What the store promises beyond what the queries say: locking, encryption at rest, once-ness, places, gaps.

mod conversation;
mod cursors;
mod groups;
mod migrations;
mod nodes;
mod outbox;
mod plans;

use crate::gaps::{Gap, Why};
use crate::history::{Entry, PageCursor};
use crate::messages::Arrival;
use crate::{ProfileFolder, Store, StoreError, Tx};
use aside_protocol::{AccountId, DeviceId, MessageId, Millis, Seq};

const ME: AccountId = AccountId([1; 32]);
const PEER: AccountId = AccountId([2; 32]);

fn arrival(n: u8, text: &str) -> Arrival<'_> {
    Arrival {
        author: PEER,
        device: DeviceId([9; 16]),
        id: MessageId([n; 16]),
        own: false,
        seq: Seq(n.into()),
        place: n.into(),
        text,
        sent_at: Millis(5),
        relay_time: Millis(6),
    }
}

fn texts(tx: &Tx, chat: i64, before: PageCursor, limit: u32) -> (Vec<String>, Option<PageCursor>) {
    let page = tx.page(chat, before, limit).unwrap();
    let text = |entry: &Entry| match entry {
        Entry::Message(message) => message.text.clone(),
        Entry::Gap(gap) => format!("gap {}-{}", gap.first, gap.last),
    };
    (page.entries.iter().map(text).collect(), page.next)
}

#[test]
fn a_profile_is_used_by_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(folder.path().join("p"));
    let first = Store::create(&folder, [7; 48]).unwrap();
    let second = Store::open(&folder).unwrap_err();
    assert!(matches!(second, StoreError::Locked { pid, .. } if pid == std::process::id()), "{second}");
    drop(first);
    Store::open(&folder).unwrap();
}

#[test]
fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("p");
    let mut store = Store::create(&ProfileFolder::new(&path), [7; 48]).unwrap();
    store.transact::<_, StoreError>(|tx| tx.direct_chat(&ME, &PEER, Millis(1)).map(drop)).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for entry in std::fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn the_file_shows_nothing_and_a_wrong_key_is_told() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(temporary.path());
    let mut store = Store::create(&folder, [7; 48]).unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            let chat = tx.direct_chat(&ME, &PEER, Millis(1))?;
            tx.insert_arrival(chat.row, &arrival(1, "a very secret sentence"))
        })
        .unwrap();
    for file in ["history.db", "history.db-wal"] {
        let bytes = std::fs::read(temporary.path().join(file)).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"very secret"), "{file} holds plaintext");
        assert!(!bytes.starts_with(b"SQLite format"), "{file} is not encrypted");
    }
    drop(store);
    std::fs::write(temporary.path().join("db.key"), [8; 48]).unwrap();
    assert!(matches!(Store::open(&folder), Err(StoreError::Corrupt(_))));
}

#[test]
fn a_newer_database_is_left_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(temporary.path());
    let store = Store::create(&folder, [7; 48]).unwrap();
    store.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    assert!(matches!(Store::open(&folder), Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn a_message_is_stored_once() {
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            let chat = tx.direct_chat(&ME, &PEER, Millis(1))?;
            assert!(tx.insert_arrival(chat.row, &arrival(1, "once"))?);
            let moved = Arrival { seq: Seq(2), place: 2, ..arrival(1, "twice") };
            assert!(!tx.insert_arrival(chat.row, &moved)?);
            assert_eq!(tx.unprinted(0, 10)?.len(), 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_failed_attempt_undoes_only_itself() {
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            let chat = tx.direct_chat(&ME, &PEER, Millis(1))?;
            tx.insert_arrival(chat.row, &arrival(1, "stays"))?;
            let failed: Result<(), StoreError> = tx.attempt(|| {
                tx.insert_arrival(chat.row, &arrival(2, "goes"))?;
                Err(StoreError::Row("test"))
            });
            assert!(failed.is_err());
            assert_eq!(texts(tx, chat.row, PageCursor::NEWEST, 10).0, ["stays"]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn pages_follow_each_other_without_overlap() {
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            let chat = tx.direct_chat(&ME, &PEER, Millis(1))?;
            for n in [1, 2, 5, 6] {
                tx.insert_arrival(chat.row, &arrival(n, &format!("m{n}")))?;
            }
            tx.add_gap(chat.row, Gap { first: 3, last: 4, why: Why::Expired })?;
            tx.insert_pending(chat.row, (&ME, &DeviceId([1; 16]), &MessageId([77; 16])), "mine", Millis(9))?;
            let (newest, next) = texts(tx, chat.row, PageCursor::NEWEST, 3);
            assert_eq!(newest, ["m5", "m6", "mine"]);
            let (older, next) = texts(tx, chat.row, next.unwrap(), 2);
            assert_eq!(older, ["m2", "gap 3-4"]);
            let (oldest, next) = texts(tx, chat.row, next.unwrap(), 2);
            assert_eq!((oldest, next), (vec!["m1".to_owned()], None));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_gap_is_joined_and_filled_piece_by_piece() {
    let mut store = Store::in_memory().unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            let chat = tx.direct_chat(&ME, &PEER, Millis(1))?.row;
            let gap = |first, last| Gap { first, last, why: Why::Unreadable };
            tx.add_gap(chat, gap(3, 3))?;
            tx.add_gap(chat, gap(4, 6))?;
            assert_eq!(tx.gaps(chat, 9)?, [gap(3, 6)]);
            assert!(tx.fill_gap(chat, 4)?);
            assert!(!tx.fill_gap(chat, 4)?);
            assert_eq!(tx.gaps(chat, 9)?, [gap(3, 3), gap(5, 6)]);
            Ok(())
        })
        .unwrap();
}

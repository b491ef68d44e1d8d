//! Older databases that are brought up to date.
#![allow(clippy::unwrap_used)]

use super::*;

/// A direct chat of device 1, which is present, and device 2, which was removed and still routed.
const OLD: &str = "
    UPDATE relay SET head = 9;
    INSERT INTO accounts VALUES (1, x'01', 'alice', x'01');
    INSERT INTO devices VALUES (1, x'01', 1, x'01', 0, 0), (2, x'02', 1, x'02', 1, 0);
    INSERT INTO chats (id, chat, one, other, incarnation, base, first, last, last_pos, receipt_pos, undo, founder,
        founding_seq, founding_time, founding_hash) VALUES (1, x'01', 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, x'');
    INSERT INTO intervals VALUES (1, 1, 0, NULL), (1, 2, 1, NULL);";

#[test]
fn an_older_database_learns_what_lapsed_and_that_its_chats_are_direct() {
    let mut db = Connection::open_in_memory().unwrap();
    db.execute_batch(FIRST).unwrap();
    db.execute_batch(SECOND).unwrap();
    db.execute_batch(OLD).unwrap();
    db.pragma_update(None, "user_version", 2).unwrap();
    db.pragma_update(None, "application_id", APPLICATION).unwrap();
    migrate(&mut db).unwrap();
    check(&db).unwrap();
    let numbers = |query: &str| -> Vec<Option<i64>> {
        db.prepare(query).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(numbers("SELECT stop FROM intervals ORDER BY device"), [None, Some(9)]);
    assert_eq!(numbers("SELECT device FROM lapsed"), [Some(2)]);
    assert_eq!(numbers("SELECT routed FROM chats"), [Some(1)]);
    assert_eq!(numbers("SELECT direct FROM chats"), [Some(1)]);
    assert_eq!(numbers("SELECT run_from FROM chats"), [Some(2)], "a founding is not undone");
}

/// Chat 1, whose last commit can be undone; chat 2, whose last commit was, and is not in the log any more.
const OPEN: &str = "
    UPDATE relay SET head = 9, time = 70;
    INSERT INTO devices VALUES (1, x'01', 5, x'01', 0, 0), (2, x'02', 6, x'02', 0, 0);
    INSERT INTO chats (id, chat, one, other, incarnation, base, first, last, last_pos, receipt_pos, undo, founder,
        founding_seq, founding_time, founding_hash) VALUES
        (1, x'01', 5, 6, 1, 4, 1, 4, 4, 0, 1, 1, 1, 0, x''), (2, x'02', 5, 6, 1, 3, 4, 3, 4, 0, 2, 1, 1, 0, x'');
    INSERT INTO log (pos, chat, seq, kind, sender, n, base, time, hash, body) VALUES (4, 1, 4, 1, 1, 2, 1, 70, x'', x'');
    INSERT INTO undo (chat, device, added, start) VALUES (1, 2, 0, 1);
    INSERT INTO fetch_rates VALUES (5, 60, 7);
    INSERT INTO join_rates VALUES (6, 61, 8);";

#[test]
fn an_older_database_keeps_its_rates_and_what_can_be_undone() {
    let mut db = Connection::open_in_memory().unwrap();
    [FIRST, SECOND, THIRD, FOURTH, OPEN].iter().for_each(|part| db.execute_batch(part).unwrap());
    db.pragma_update(None, "user_version", 4).unwrap();
    db.pragma_update(None, "application_id", APPLICATION).unwrap();
    migrate(&mut db).unwrap();
    let rows = |query: &str| -> Vec<[Option<i64>; 4]> {
        let row = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
        db.prepare(query).unwrap().query_map([], row).unwrap().map(Result::unwrap).collect()
    };
    let some = |numbers: [i64; 4]| numbers.map(Some);
    assert_eq!(rows("SELECT what, who, since, count FROM rates"), [some([0, 5, 60, 7]), some([1, 6, 61, 8])]);
    assert_eq!(rows("SELECT chat, seq, device, start FROM undo"), [some([1, 4, 2, 1])]);
    assert_eq!(rows("SELECT chat, seq, time, founder FROM undo_steps"), [[Some(1), Some(4), Some(70), None]]);
    let runs = rows("SELECT id, base, run_from, run_account FROM chats");
    assert_eq!(runs, [some([1, 4, 4, 5]), [Some(2), Some(3), Some(3), None]]);
}

/// Two accounts: the first has two versions of its list, of which the second account's came in between.
const LISTED: &str = "
    INSERT INTO accounts VALUES (1, x'01', 'alice', x'01'), (2, x'02', 'bob', x'02');
    INSERT INTO device_lists VALUES (1, 1, x'11'), (2, 1, x'21'), (1, 2, x'12');";

#[test]
fn an_older_database_is_a_relays_alone_and_numbers_its_device_lists() {
    let mut db = Connection::open_in_memory().unwrap();
    MIGRATIONS[..8].iter().chain([&LISTED]).for_each(|part| db.execute_batch(part).unwrap());
    db.pragma_update(None, "user_version", 8).unwrap();
    db.pragma_update(None, "application_id", APPLICATION).unwrap();
    migrate(&mut db).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    let relay: [i64; 4] = db.query_row("SELECT partition, partitions, changes, learned FROM relay", [], row).unwrap();
    assert_eq!(relay, [0, 1, 3, 0]);
    let mut lists = db.prepare("SELECT change, account, version, bytes FROM device_lists ORDER BY change").unwrap();
    let list = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let lists: Vec<(i64, i64, i64, Vec<u8>)> = lists.query_map([], list).unwrap().map(Result::unwrap).collect();
    let wanted = [(1, 1, 1, vec![0x11]), (2, 1, 2, vec![0x12]), (3, 2, 1, vec![0x21])];
    assert_eq!(lists, wanted, "an account's versions in their order");
    assert!(db.execute("UPDATE device_lists SET change = 2", []).is_err(), "a number stands for one version");
}

//! Opening and paging must not read whole histories: what SQLite plans to do for the queries behind them.

use crate::conversation::{FIRST_UNREAD, unsent_sql};
use crate::history::{after_sql, before_sql};
use crate::messages::SELECT;
use crate::summaries::SUMMARIES;
use crate::{Store, StoreError, Tx};
use rusqlite::{params_from_iter, types::Null};

/// What SQLite would do, a line for each step.
fn plan(tx: &Tx, sql: &str) -> Vec<String> {
    let mut statement = tx.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let nothing = vec![Null; statement.parameter_count()];
    let steps = statement.query_map(params_from_iter(nothing), |row| row.get("detail")).unwrap();
    steps.collect::<Result<_, _>>().unwrap()
}

#[track_caller]
fn reads_no_history(sql: &str, by: &[&str]) {
    let mut store = Store::in_memory().unwrap();
    store
        .read::<_, StoreError>(|tx| {
            let steps = plan(tx, sql);
            for table in ["m", "l", "u", "w", "o", "messages", "gaps"] {
                let scan = format!("SCAN {table}");
                let scans = steps.iter().any(|step| *step == scan || step.starts_with(&format!("{scan} ")));
                assert!(!scans, "reads all of {table}: {steps:#?}");
            }
            for index in by {
                assert!(steps.iter().any(|step| step.contains(index)), "no {index}: {steps:#?}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_chat_list_looks_up_what_is_newest_and_counts_what_is_unread() {
    reads_no_history(
        SUMMARIES,
        &["messages_place (chat=?)", "messages_unread (chat=? AND place>?)", "SEARCH m USING INTEGER PRIMARY KEY"],
    );
}

#[test]
fn a_page_begins_at_its_place_and_needs_no_sorting() {
    reads_no_history(&before_sql(), &["messages_place (chat=? AND place<?)"]);
    reads_no_history(&after_sql(), &["messages_place (chat=? AND place>?)"]);
    reads_no_history(FIRST_UNREAD, &["messages_unread (chat=? AND place>?)"]);
    let mut store = Store::in_memory().unwrap();
    store
        .read::<_, StoreError>(|tx| {
            for sql in [before_sql(), after_sql(), FIRST_UNREAD.to_owned()] {
                let steps = plan(tx, &sql);
                assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "sorts: {steps:#?}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_waits_is_found_through_the_outbox() {
    reads_no_history(&unsent_sql(), &["outbox_chat (chat=?)", "SEARCH m USING INTEGER PRIMARY KEY"]);
}

#[test]
fn what_was_never_printed_is_found_by_its_own_index() {
    let sql = format!("{SELECT} WHERE m.printed = 0 AND m.own = 0 AND m.kind = 0 AND m.id > ? ORDER BY m.id LIMIT ?");
    reads_no_history(&sql, &["messages_unprinted"]);
}

#[test]
fn the_test_notices_a_scan() {
    let seen = std::panic::catch_unwind(|| reads_no_history("SELECT * FROM messages m WHERE m.text = ?", &[]));
    assert!(seen.is_err());
}

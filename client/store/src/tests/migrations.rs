//! A database of an earlier version comes up to date with what is in it.

use super::*;

/// The database as version 3 left it, with a message in its outbox.
const BEFORE_4: &str = "DROP TABLE drafts; DROP INDEX chats_peer; ALTER TABLE outbox DROP COLUMN tried;";

/// What later versions added; each takes back its own.
const SINCE: &[&str] = &[
    "ALTER TABLE chats DROP COLUMN title; ALTER TABLE chats DROP COLUMN origin; ALTER TABLE chats DROP COLUMN devices;
     ALTER TABLE chats DROP COLUMN renewed; ALTER TABLE chats DROP COLUMN receipts_pos;
     ALTER TABLE chats DROP COLUMN known_group; ALTER TABLE chats DROP COLUMN known_incarnation; DROP TABLE members;
     DROP TABLE lists; DROP TABLE tasks; ALTER TABLE proposed DROP COLUMN change;
     ALTER TABLE rejoins DROP COLUMN due; ALTER TABLE rejoins DROP COLUMN account; DROP INDEX marks_account; DROP INDEX messages_notices;",
    "DROP TABLE transfers;",
    "DROP TABLE syncs; DROP TABLE sync_due; DROP TABLE mutes; DROP TABLE drafted; DROP TABLE own_devices; DROP TABLE list_changes; DROP TABLE entering; DROP TABLE settings;
     ALTER TABLE accounts DROP COLUMN verified;",
    "DROP TABLE links;",
    "DROP TABLE export_parts; DROP TABLE exports; DROP TABLE import_parts; DROP TABLE imports; DROP TABLE past_authors;",
    "DROP TABLE nodes;",
    "DROP TABLE reads_ahead;",
];

#[test]
fn what_waited_before_version_4_may_have_left_this_device() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = ProfileFolder::new(temporary.path());
    let mut store = Store::create(&folder, [7; 48]).unwrap();
    let row = store
        .transact::<_, StoreError>(|tx| {
            let chat = tx.direct_chat(&ME, &PEER, Millis(1))?.row;
            let row = tx.insert_pending(chat, (&ME, &DeviceId([1; 16]), &MessageId([7; 16])), "kept", Millis(9))?;
            tx.enqueue(chat, row, None)?;
            Ok(row)
        })
        .unwrap();
    SINCE.iter().rev().chain([&BEFORE_4]).for_each(|sql| store.connection.execute_batch(sql).unwrap());
    store.connection.pragma_update(None, "user_version", 3).unwrap();
    drop(store);
    let mut store = Store::open(&folder).unwrap();
    store
        .transact::<_, StoreError>(|tx| {
            assert_eq!(tx.message(row)?.unwrap().text, "kept");
            assert!(tx.outgoing_of(row)?[0].tried);
            tx.save_draft(&PEER, "new", Millis(1))
        })
        .unwrap();
}

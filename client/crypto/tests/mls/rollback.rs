//! Databases that go back: a transaction rolled back, an older copy restored, a storage that fails.

use crate::party::*;
use aside_crypto::{Group, MlsError};
use aside_protocol::Body;
use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::time::Duration;

fn copy(from: &Connection, to: &mut Connection) {
    Backup::new(from, to).unwrap().run_to_completion(1_000, Duration::ZERO, None).unwrap();
}

#[test]
fn a_rolled_back_device_is_added_again() {
    let (alice, mut a, mut bob, mut b) = pair();
    let mut older = Connection::open_in_memory().unwrap();
    copy(&bob.db, &mut older);
    talk(&alice, &mut a, &bob, &mut b);
    let commit = alice.update(&mut a).commit;
    alice.merge_own(&mut a);
    bob.follow(&mut b, &commit);

    copy(&older, &mut bob.db);
    let mut b = bob.load(&b.id());
    let missed = alice.say(&mut a, "missed");
    assert_eq!(bob.open(&mut b, &missed).unwrap_err(), MlsError::NotForThisEpoch { ours: 1, theirs: 2 });

    let package = alice.checked(&bob);
    let again = alice.readd(&mut a, &aad(4, 2), bob.me.device, &package, &[]).unwrap();
    alice.merge_own(&mut a);
    let mut b = bob.join(&again);
    assert_eq!((b.epoch(), b.roster().unwrap()), (3, a.roster().unwrap()));
    talk(&alice, &mut a, &bob, &mut b);
    talk(&alice, &mut alice.load(&a.id()), &bob, &mut bob.load(&b.id()));
}

#[test]
fn what_a_rolled_back_device_sends_in_its_epoch_is_refused() {
    let (alice, mut a, mut bob, mut b) = pair();
    let mut older = Connection::open_in_memory().unwrap();
    copy(&bob.db, &mut older);
    let first = bob.say(&mut b, "first");
    assert_eq!(alice.hear(&mut a, &first), "first");
    copy(&older, &mut bob.db);
    let reused = bob.say(&mut bob.load(&b.id()), "under the same key");
    assert_eq!(alice.open(&mut a, &reused).unwrap_err(), MlsError::AlreadySeen);
}

#[test]
fn a_rolled_back_transaction_leaves_the_group_as_it_was() {
    let (alice, mut a, bob, mut b) = pair();
    let body = alice.say(&mut a, "twice delivered");
    bob.db.execute_batch("BEGIN").unwrap();
    assert_eq!(bob.hear(&mut b, &body), "twice delivered");
    bob.db.execute_batch("ROLLBACK").unwrap();
    let mut b = bob.load(&b.id());
    assert_eq!(bob.hear(&mut b, &body), "twice delivered");

    let commit = alice.update(&mut a).commit;
    alice.merge_own(&mut a);
    bob.db.execute_batch("BEGIN").unwrap();
    bob.follow(&mut b, &commit);
    bob.db.execute_batch("ROLLBACK").unwrap();
    let mut b = bob.load(&b.id());
    assert_eq!(b.epoch(), 1);
    bob.follow(&mut b, &commit);
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn what_is_opened_ahead_is_stored_when_it_is_saved() {
    let (alice, mut a, bob, mut b) = pair();
    let said = ["one", "two", "three"].map(|text| alice.say(&mut a, text));
    let ahead = |b: &mut Group, body: &Body| bob.with(|scope| b.open_ahead(scope, body)).map(drop);
    ahead(&mut b, &said[0]).unwrap();
    // A peer's fault in between costs what was opened before nothing.
    assert!(ahead(&mut b, &Body::from(vec![9; 200])).unwrap_err().is_peer_fault());
    ahead(&mut b, &said[1]).unwrap();
    assert_eq!(ahead(&mut b, &said[0]).unwrap_err(), MlsError::AlreadySeen);
    // Nothing is stored yet: whoever loads the group reads the same messages.
    assert_eq!(bob.hear(&mut bob.load(&b.id()), &said[2]), "three");

    bob.with(|scope| b.save(scope)).unwrap();
    let mut b = bob.load(&b.id());
    for body in &said[..2] {
        assert_eq!(bob.open(&mut b, body).unwrap_err(), MlsError::AlreadySeen);
    }
    assert_eq!(bob.hear(&mut b, &said[2]), "three");
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn a_rolled_back_join_keeps_the_key_package() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let (mut a, proposed) = alice.found(&[&bob]);
    bob.db.execute_batch("BEGIN").unwrap();
    bob.join(&proposed);
    bob.db.execute_batch("ROLLBACK").unwrap();
    assert!(bob.with(|scope| scope.load(&a.id())).unwrap().is_none());
    let mut b = bob.join(&proposed);
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn a_storage_that_fails_is_not_the_peers_fault() {
    let (alice, mut a, bob, mut b) = pair();
    let body = alice.say(&mut a, "x");
    let commit = alice.update(&mut a).commit;
    bob.db.execute_batch("PRAGMA query_only = ON").unwrap();
    assert!(matches!(bob.open(&mut b, &body), Err(MlsError::Storage(_))));
    assert!(matches!(bob.open(&mut b, &commit), Err(MlsError::Storage(_))));
    assert!(matches!(bob.with(|scope| b.update_keys(scope, &aad(1, 1))), Err(MlsError::Storage(_))));
    let written = bob.with(|scope| b.encrypt(scope, &aad(1, 1), &content("x"))).unwrap_err();
    assert!(!written.is_peer_fault(), "{written:?}");
    let made = bob.with(|scope| scope.key_package(aside_protocol::request::Suite::XWing, false, LATER));
    assert!(matches!(made, Err(MlsError::Storage(_))));
    bob.db.execute_batch("PRAGMA query_only = OFF").unwrap();
    let mut b = bob.load(&b.id());
    assert_eq!(bob.hear(&mut b, &body), "x");
}

#[test]
fn own_keys_that_cannot_be_read_are_not_the_peers_fault() {
    let (alice, mut a, bob, mut b) = pair();
    let commit = alice.update(&mut a).commit;
    bob.db.execute_batch("ALTER TABLE openmls_epoch_keys_pairs RENAME TO away").unwrap();
    assert!(matches!(bob.open(&mut b, &commit), Err(MlsError::Storage(_))));
    bob.db.execute_batch("ALTER TABLE away RENAME TO openmls_epoch_keys_pairs").unwrap();
    bob.follow(&mut bob.load(&b.id()), &commit);
}

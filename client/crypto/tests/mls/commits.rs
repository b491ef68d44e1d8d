//! Commits: pending until merged, at most one an epoch, judged by facts.

use crate::party::*;
use aside_crypto::{MlsError, StagedCommitFacts, Wanted, What};
use aside_protocol::Body;

fn facts(party: &Party, group: &mut aside_crypto::Group, commit: &Body) -> Box<StagedCommitFacts> {
    match party.open(group, commit).unwrap().what {
        What::Commit(facts) => facts,
        other => panic!("not a commit: {other:?}"),
    }
}

#[test]
fn updating_keys() {
    let (alice, mut a, bob, mut b) = pair();
    let commit = bob.update(&mut b).commit;
    assert_eq!((b.epoch(), b.has_pending()), (1, true), "pending, not merged");
    bob.merge_own(&mut b);
    let facts = facts(&alice, &mut a, &commit);
    assert!(facts.updates_self && facts.added.is_empty() && facts.removed.is_empty() && !facts.self_removed);
    assert_eq!((facts.terms_after.as_ref(), facts.epoch), (None, 2));
    assert_eq!(a.epoch(), 1, "staged, not merged");
    alice.with(|scope| a.merge(scope, facts)).unwrap();
    assert_eq!((a.epoch(), b.epoch()), (2, 2));
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn a_rivals_commit_discards_ones_own() {
    let (alice, mut a, bob, mut b) = pair();
    let winner = alice.update(&mut a).commit;
    let loser = bob.update(&mut b).commit;
    bob.follow(&mut b, &winner);
    alice.merge_own(&mut a);
    assert!(!b.has_pending());
    assert_eq!(bob.with(|scope| b.merge_own(scope)), Err(MlsError::NoPending));
    assert!(matches!(alice.open(&mut a, &loser), Err(MlsError::NotForThisEpoch { ours: 2, theirs: 1 })));
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn discarding_before_trying_again() {
    let (alice, mut a, bob, mut b) = pair();
    alice.update(&mut a);
    assert_eq!(alice.with(|scope| a.update_keys(scope, &aad(3, 1))), Err(MlsError::Pending));
    alice.with(|scope| a.discard_own(scope)).unwrap();
    let second = alice.update(&mut a).commit;
    alice.merge_own(&mut a);
    bob.follow(&mut b, &second);
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn a_pending_commit_survives_loading_and_lets_messages_through() {
    let (alice, mut a, bob, mut b) = pair();
    let commit = alice.update(&mut a).commit;
    let mut a = alice.load(&a.id());
    assert!(a.has_pending());
    talk(&alice, &mut a, &bob, &mut b);
    alice.merge_own(&mut a);
    bob.follow(&mut b, &commit);
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn a_refused_commit_changes_nothing() {
    let (alice, mut a, bob, mut b) = pair();
    let refused = alice.update(&mut a).commit;
    drop(facts(&bob, &mut b, &refused));
    alice.with(|scope| a.discard_own(scope)).unwrap();
    assert_eq!(b.epoch(), 1);
    let accepted = alice.update(&mut a).commit;
    alice.merge_own(&mut a);
    bob.follow(&mut b, &accepted);
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn facts_of_another_epoch_are_not_merged() {
    let (alice, mut a, bob, mut b) = pair();
    let commit = alice.update(&mut a).commit;
    let stale = facts(&bob, &mut b, &commit);
    let own = bob.update(&mut b);
    bob.merge_own(&mut b);
    assert!(matches!(bob.with(|scope| b.merge(scope, stale)), Err(MlsError::Bug(_))));
    drop(own);
}

#[test]
fn readding_a_device_with_evidence() {
    let (alice, bob, carol) = (Party::new(1), Party::new(2), Party::new(3));
    let (mut a, founded) = alice.found(&[&bob, &carol]);
    let (mut b, mut c) = (bob.join(&founded), carol.join(&founded));
    let package = bob.key_package();
    let checked = alice.check(&package, &bob);
    let evidence = Body::from(b"signed by bob".to_vec());
    let again = alice.readd(&mut a, &aad(3, 1), bob.me.device, &checked, std::slice::from_ref(&evidence)).unwrap();

    let judged = facts(&carol, &mut c, &again.commit);
    assert_eq!((judged.removed.len(), judged.added.len()), (1, 1));
    assert_eq!(judged.removed[0], judged.added[0]);
    assert_eq!((judged.added[0].device, judged.added[0].key), (bob.me.device, bob.me.key.public()));
    assert_eq!((&judged.added_packages[..], &judged.evidence[..]), (&[package][..], &[evidence][..]));
    assert!(!judged.self_removed);
    carol.with(|scope| c.merge(scope, judged)).unwrap();
    alice.merge_own(&mut a);

    // Bob, who still had a working state, sees himself removed and is out until he joins again.
    let own = facts(&bob, &mut b, &again.commit);
    assert!(own.self_removed);
    bob.with(|scope| b.merge(scope, own)).unwrap();
    assert!(!b.is_active());
    let late = alice.say(&mut a, "late");
    assert_eq!(bob.open(&mut b, &late).unwrap_err(), MlsError::Left);
    assert_eq!(bob.with(|scope| b.encrypt(scope, &aad(9, 9), &content("x"))), Err(MlsError::Left));
    assert_eq!(bob.with(|scope| b.update_keys(scope, &aad(9, 9))), Err(MlsError::Left));
    let mut b = bob.join(&again);
    assert_eq!(bob.hear(&mut b, &late), "late");
    talk(&bob, &mut b, &carol, &mut c);
    talk(&bob, &mut b, &alice, &mut a);
}

#[test]
fn readding_whom_it_cannot() {
    let (alice, mut a, bob, _) = pair();
    let (carol, package) = (Party::new(3), alice.checked(&Party::new(3)));
    let readd =
        |group: &mut aside_crypto::Group, device, with| alice.readd(group, &aad(3, 1), device, with, &[]).unwrap_err();
    assert_eq!(readd(&mut a, carol.me.device, &package), MlsError::NotMember(carol.me.device));
    let own = alice.checked(&alice);
    assert!(matches!(readd(&mut a, alice.me.device, &own), MlsError::Bug(_)));
    // Bob is there already: his leaf does not go, so his new one cannot come.
    let twice = Wanted { add: vec![alice.checked(&bob)], ..Wanted::default() };
    assert!(alice.with(|scope| a.propose(scope, &aad(3, 1), &twice)).is_err());
    assert!(!a.has_pending());
}

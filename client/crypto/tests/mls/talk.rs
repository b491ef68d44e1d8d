//! Founding, joining, and messages: read once, in their epoch, by members.

use crate::party::*;
use aside_crypto::{Leaf, MlsError, What};
use aside_protocol::{AccountId, Body};
use proptest::prelude::*;

fn leaf(party: &Party) -> Leaf {
    let Party { root, me, .. } = party;
    Leaf { root: root.public(), account: AccountId::of(&me.root), device: me.device, key: me.key.public() }
}

#[test]
fn two_found_join_and_talk() {
    let (alice, mut a, bob, mut b) = pair();
    for group in [&a, &b] {
        assert_eq!(group.terms().unwrap(), terms());
        assert_eq!(group.roster().unwrap(), [leaf(&alice), leaf(&bob)]);
        assert_eq!((group.epoch(), group.id(), group.has_pending()), (1, vec![9; 16], false));
    }
    talk(&alice, &mut a, &bob, &mut b);
    let body = alice.say(&mut a, "hello");
    let opened = bob.open(&mut b, &body).unwrap();
    assert_eq!((opened.aad, opened.from), (aad(2, 1), leaf(&alice)));
    assert!(matches!(opened.what, What::Content(read) if *read == content("hello")));
}

#[test]
fn three_hear_each_other() {
    let (alice, bob, carol) = (Party::new(1), Party::new(2), Party::new(3));
    let (mut a, proposed) = alice.found(&[&bob, &carol]);
    let (mut b, mut c) = (bob.join(&proposed), carol.join(&proposed));
    let said = carol.say(&mut c, "to both");
    assert_eq!(alice.hear(&mut a, &said), "to both");
    assert_eq!(bob.hear(&mut b, &said), "to both");
    talk(&bob, &mut b, &carol, &mut c);
}

#[test]
fn a_founder_alone_has_a_commit_without_a_welcome() {
    let alice = Party::new(1);
    let (a, proposed) = alice.found(&[]);
    assert_eq!((a.epoch(), proposed.welcome), (1, None));
}

#[test]
fn a_founding_that_lost_is_forgotten() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let package = alice.checked(&bob);
    alice.with(|scope| {
        let (group, _) = scope.found(&terms(), None, &[package], &aad(1, 0), [9; 16]).unwrap();
        assert!(group.has_pending() && group.epoch() == 0);
        scope.delete(group).unwrap();
        assert!(scope.load(&[9; 16]).unwrap().is_none());
    });
}

#[test]
fn a_replay_is_refused() {
    let (alice, mut a, bob, mut b) = pair();
    let body = alice.say(&mut a, "once");
    assert_eq!(bob.hear(&mut b, &body), "once");
    assert_eq!(bob.open(&mut b, &body).unwrap_err(), MlsError::AlreadySeen);
    // Neither does it work after loading again: the spent key is gone from the storage too.
    let mut b = bob.load(&b.id());
    assert_eq!(bob.open(&mut b, &body).unwrap_err(), MlsError::AlreadySeen);
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn own_messages_are_recognised() {
    let (alice, mut a, ..) = pair();
    let body = alice.say(&mut a, "mine");
    assert_eq!(alice.open(&mut a, &body).unwrap_err(), MlsError::OwnMessage);
    let commit = alice.update(&mut a).commit;
    assert_eq!(alice.open(&mut a, &commit).unwrap_err(), MlsError::OwnMessage);
    assert!(a.has_pending());
}

#[test]
fn other_epochs_are_told_apart() {
    let (alice, mut a, bob, mut b) = pair();
    let old = bob.say(&mut b, "old");
    let commit = alice.update(&mut a).commit;
    alice.merge_own(&mut a);
    let new = alice.say(&mut a, "new");
    assert_eq!(alice.open(&mut a, &old).unwrap_err(), MlsError::NotForThisEpoch { ours: 2, theirs: 1 });
    assert_eq!(bob.open(&mut b, &new).unwrap_err(), MlsError::NotForThisEpoch { ours: 1, theirs: 2 });
    // Asking too early spends nothing.
    bob.follow(&mut b, &commit);
    assert_eq!(bob.hear(&mut b, &new), "new");
}

#[test]
fn messages_of_other_groups_and_kinds_are_unreadable() {
    let (alice, mut a, bob, mut b) = pair();
    let (carol, dave) = (Party::new(3), Party::new(4));
    let package = carol.checked(&dave);
    let (mut c, proposed) = carol
        .with(|scope| {
            let (mut group, proposed) = scope.found(&terms(), None, &[package], &aad(1, 0), [8; 16])?;
            group.merge_own(scope)?;
            Ok::<_, MlsError>((group, proposed))
        })
        .unwrap();
    for body in [carol.say(&mut c, "x"), proposed.welcome.unwrap(), dave.key_package()] {
        assert!(matches!(bob.open(&mut b, &body), Err(MlsError::Unreadable(_))));
    }
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn skipped_and_swapped_messages_are_read() {
    let (alice, mut a, bob, mut b) = pair();
    let bodies: Vec<Body> = (0..70).map(|i| alice.say(&mut a, &i.to_string())).collect();
    assert_eq!(bob.hear(&mut b, &bodies[69]), "69", "others were refused by the relay");
    assert_eq!(bob.hear(&mut b, &bodies[10]), "10", "one comes late");
    assert_eq!(bob.open(&mut b, &bodies[1]).unwrap_err(), MlsError::AlreadySeen, "past the tolerance");
}

#[test]
fn a_thousand_skipped_and_more() {
    let (alice, mut a, bob, mut b) = pair();
    // The library's own default is 1,000; every send refused as stale costs one.
    let last = (0..1_300).map(|_| alice.say(&mut a, "x")).last().unwrap();
    assert_eq!(bob.hear(&mut b, &last), "x");
}

#[test]
fn receipt_secrets_are_shared_and_given_once() {
    let (alice, mut a, bob, mut b) = pair();
    let secret = alice.with(|scope| a.receipt_secret(scope)).unwrap();
    assert_eq!(*secret, *bob.with(|scope| b.receipt_secret(scope)).unwrap());
    assert_eq!(alice.with(|scope| a.receipt_secret(scope)).unwrap_err(), MlsError::AlreadyExported);
    let commit = alice.update(&mut a).commit;
    alice.merge_own(&mut a);
    bob.follow(&mut b, &commit);
    let next = alice.with(|scope| a.receipt_secret(scope)).unwrap();
    assert_ne!(*secret, *next);
    assert_eq!(*next, *bob.with(|scope| b.receipt_secret(scope)).unwrap());
}

#[test]
fn sizes_say_little() {
    let (alice, mut a, ..) = pair();
    let mut length = |text: usize| alice.say(&mut a, &"x".repeat(text)).len();
    assert_eq!(length(1), length(20));
    assert_eq!(length(200), length(300));
    assert_eq!(length(3_000), length(3_500));
    assert!(length(1) < length(200) && length(200) < length(3_000));
    assert!(length(aside_protocol::limits::MAX_TEXT) <= aside_protocol::limits::MAX_MESSAGE);
}

#[test]
fn debug_shows_no_secret() {
    let (alice, a, bob, ..) = pair();
    let shown = alice.with(|scope| format!("{:?} {scope:?} {a:?} {:?}", alice.me, alice.checked(&bob)));
    let seed = alice.me.key.seed();
    assert!(!shown.contains(&format!("{:?}", &seed[..8])) && !shown.contains("6565656565"), "{shown}");
    for hidden in ["secret:", "private", "Secret"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tampering_is_noticed_and_does_no_harm(at in 0usize..10_000, bit in 0u8..8) {
        let (alice, mut a, bob, mut b) = pair();
        let body = alice.say(&mut a, "true");
        let mut bytes = body.to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let error = bob.open(&mut b, &Body::from(bytes)).unwrap_err();
        prop_assert!(error.is_peer_fault(), "{error:?}");
        prop_assert_eq!(bob.hear(&mut b, &body), "true");
    }
}

#[test]
fn garbage_never_panics() {
    let (_, _, bob, b) = pair();
    let b = std::cell::RefCell::new(b);
    let mut runner = proptest::test_runner::TestRunner::default();
    let outcome = runner.run(&proptest::collection::vec(any::<u8>(), 0..400), |bytes| {
        let body = Body::from(bytes);
        prop_assert!(bob.open(&mut b.borrow_mut(), &body).is_err());
        prop_assert!(bob.try_join(&body).is_err());
        Ok(())
    });
    outcome.unwrap();
}

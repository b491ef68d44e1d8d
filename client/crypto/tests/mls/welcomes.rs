//! Welcomes: inspected first, for this device only, never back in time.

use crate::party::*;
use aside_crypto::MlsError;
use aside_protocol::Body;

#[test]
fn inspected_before_joining() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let (a, proposed) = alice.found(&[&bob]);
    bob.with(|scope| {
        let staged = scope.read_welcome(&proposed.welcome.unwrap()).unwrap();
        assert_eq!((staged.terms(), staged.roster()), (&terms(), &a.roster().unwrap()[..]));
        assert_eq!((staged.epoch(), staged.group_id()), (1, a.id()));
        assert_eq!(staged.from().device, alice.me.device);
        assert!(scope.load(&a.id()).unwrap().is_none(), "nothing is stored before joining");
        assert_eq!(staged.join(scope).unwrap().epoch(), 1);
    });
}

#[test]
fn spent_lost_and_foreign_key_packages() {
    let (alice, bob, carol) = (Party::new(1), Party::new(2), Party::new(3));
    let (_, proposed) = alice.found(&[&bob]);
    assert_eq!(carol.try_join(proposed.welcome.as_ref().unwrap()).unwrap_err(), MlsError::NoKeyPackage);
    bob.join(&proposed);
    assert_eq!(bob.try_join(proposed.welcome.as_ref().unwrap()).unwrap_err(), MlsError::NoKeyPackage);
}

#[test]
fn damaged_and_wrong_ones_are_refused() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let (_, proposed) = alice.found(&[&bob]);
    let welcome = proposed.welcome.unwrap();
    let mut damaged = welcome.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    bob.db.execute_batch("SAVEPOINT before").unwrap();
    assert!(matches!(bob.try_join(&Body::from(damaged)), Err(MlsError::BadWelcome(_))));
    bob.db.execute_batch("ROLLBACK TO before; RELEASE before").unwrap();
    assert!(matches!(bob.try_join(&proposed.commit), Err(MlsError::BadWelcome(_))));
    assert!(matches!(bob.try_join(&Body::default()), Err(MlsError::BadWelcome(_))));
    bob.try_join(&welcome).unwrap();
}

#[test]
fn an_old_welcome_does_not_turn_a_group_back() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let package = bob.with(|scope| scope.key_package(aside_protocol::request::Suite::XWing, true, LATER)).unwrap();
    let checked = alice.check(&package, &bob);
    let (mut a, proposed) = alice.with(|scope| {
        let (mut group, proposed) = scope.found(&terms(), None, &[checked], &aad(1, 0), [9; 16]).unwrap();
        group.merge_own(scope).unwrap();
        (group, proposed)
    });
    let mut b = bob.join(&proposed);
    // The last resort still opens it, so only the group that is there stands against the replay.
    assert_eq!(bob.try_join(proposed.welcome.as_ref().unwrap()).unwrap_err(), MlsError::AlreadySeen);
    let commit = alice.update(&mut a).commit;
    alice.merge_own(&mut a);
    bob.follow(&mut b, &commit);
    assert_eq!(bob.try_join(proposed.welcome.as_ref().unwrap()).unwrap_err(), MlsError::AlreadySeen);
    talk(&alice, &mut a, &bob, &mut bob.load(&b.id()));
}

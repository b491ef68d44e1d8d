//! Key packages: ours are good, and each thing that can be wrong with one is noticed.

use crate::party::*;
use aside_crypto::{BadKeyPackage, CheckedKeyPackage, MlsError};
use aside_protocol::device_list::DeviceEntry;
use aside_protocol::limits::MAX_KEY_PACKAGE;
use aside_protocol::request::Suite;
use aside_protocol::{Body, DeviceId, Millis, PublicKey};

fn check(package: &Body, root: &PublicKey, entry: &DeviceEntry, now: Millis) -> Result<CheckedKeyPackage, MlsError> {
    Party::new(1).with(|scope| scope.check_key_package(package, root, entry, Suite::XWing, now))
}

fn why(result: Result<CheckedKeyPackage, MlsError>) -> BadKeyPackage {
    match result {
        Err(MlsError::BadKeyPackage(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn accepted_until_it_expires() {
    let bob = Party::new(2);
    let package = bob.key_package();
    assert!(package.len() <= MAX_KEY_PACKAGE, "{}", package.len());
    let checked = check(&package, &bob.me.root, &bob.entry(), LATER).unwrap();
    assert_eq!((checked.leaf().device, checked.last_resort()), (bob.me.device, false));
    assert_eq!(why(check(&package, &bob.me.root, &bob.entry(), Millis(LATER.0 + 1))), BadKeyPackage::Expired);
}

#[test]
fn refused_for_anybody_else() {
    let (bob, carol) = (Party::new(2), Party::new(3));
    let package = bob.key_package();
    assert_eq!(why(check(&package, &carol.me.root, &bob.entry(), NOW)), BadKeyPackage::Account);
    let other_device = DeviceEntry { device: DeviceId([9; 16]), ..bob.entry() };
    assert_eq!(why(check(&package, &bob.me.root, &other_device, NOW)), BadKeyPackage::Device);
    let other_key = DeviceEntry { key: carol.me.key.public(), ..bob.entry() };
    assert_eq!(why(check(&package, &bob.me.root, &other_key, NOW)), BadKeyPackage::Key);
}

#[test]
fn refused_for_another_suite() {
    let bob = Party::new(2);
    let classical = bob.with(|scope| scope.key_package(Suite::Classical, false, LATER)).unwrap();
    assert_eq!(why(check(&classical, &bob.me.root, &bob.entry(), NOW)), BadKeyPackage::Suite);
    let alice = Party::new(1);
    let checked = alice
        .with(|scope| scope.check_key_package(&classical, &bob.me.root, &bob.entry(), Suite::Classical, NOW))
        .unwrap();
    let founded = alice.with(|scope| scope.found(&terms(), None, &[checked], &aad(1, 0), [9; 16]).map(|_| ()));
    assert_eq!(founded, Err(MlsError::BadKeyPackage(BadKeyPackage::Suite)));
}

#[test]
fn any_changed_byte_is_noticed() {
    let bob = Party::new(2);
    let package = bob.key_package();
    for at in (0..package.len()).step_by(37) {
        let mut bytes = package.to_vec();
        bytes[at] ^= 1;
        check(&Body::from(bytes), &bob.me.root, &bob.entry(), NOW).unwrap_err();
    }
    let mut bytes = package.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(why(check(&Body::from(bytes), &bob.me.root, &bob.entry(), NOW)), BadKeyPackage::Signature);
}

#[test]
fn refused_when_it_is_none() {
    let (alice, mut a, bob, _) = pair();
    let cut = Body::from(bob.key_package()[..100].to_vec());
    let large = Body::from(vec![0; MAX_KEY_PACKAGE + 1]);
    for body in [cut, large, Body::default(), alice.say(&mut a, "x")] {
        let why = why(check(&body, &bob.me.root, &bob.entry(), NOW));
        assert!(matches!(why, BadKeyPackage::Malformed(_)), "{why:?}");
    }
}

#[test]
fn a_last_resort_serves_more_than_once() {
    let bob = Party::new(2);
    let package = bob.with(|scope| scope.key_package(Suite::XWing, true, LATER)).unwrap();
    for (n, id) in [(1, [8; 16]), (3, [7; 16])] {
        let party = Party::new(n);
        let checked = party.check(&package, &bob);
        assert!(checked.last_resort());
        let (mut group, proposed) = party.with(|scope| {
            let (mut group, proposed) = scope.found(&terms(), None, &[checked], &aad(1, 0), id).unwrap();
            group.merge_own(scope).unwrap();
            (group, proposed)
        });
        let mut joined = bob.join(&proposed);
        talk(&party, &mut group, &bob, &mut joined);
    }
}

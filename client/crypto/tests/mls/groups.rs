//! Groups and channels: terms that change, packs that only joiners read.

use crate::party::*;
use aside_crypto::{Group, MlsError, Proposed, StagedCommitFacts, Terms, Wanted, What};
use aside_protocol::group::{ChatContext, ChatKind, GroupState, Pack, Role, Roster, RosterEntry};
use aside_protocol::request::{Origin, Suite};
use aside_protocol::{AccountId, Body, GroupNonce, Hash};

fn group_terms(kind: ChatKind, title: &str) -> Terms {
    let context = ChatContext { kind, accounts: Vec::new(), ..context() };
    let origin = Origin { account: AccountId([1; 32]), nonce: GroupNonce([2; 16]) };
    let state = GroupState { title: title.into(), roster: pack().roster.hash(), origin, join: None };
    Terms { context, state: Some(state) }
}

fn pack() -> Pack {
    let entry =
        RosterEntry { account: AccountId([1; 32]), role: Role::Owner, version: 1, hash: Hash([3; 32]), since: 1 };
    Pack { roster: Roster { entries: vec![entry] }, accounts: Vec::new() }
}

fn founded(alice: &Party, others: &[&Party]) -> (Group, Proposed) {
    let packages: Vec<_> = others.iter().map(|other| alice.checked(other)).collect();
    alice.with(|scope| {
        let terms = group_terms(ChatKind::Group, "gardeners");
        let (mut group, proposed) = scope.found(&terms, Some(pack()), &packages, &aad(1, 0), [9; 16]).unwrap();
        group.merge_own(scope).unwrap();
        (group, proposed)
    })
}

fn facts(party: &Party, group: &mut Group, commit: &Body) -> Box<StagedCommitFacts> {
    match party.open(group, commit).unwrap().what {
        What::Commit(facts) => facts,
        other => panic!("not a commit: {other:?}"),
    }
}

#[test]
fn joiners_find_terms_and_pack() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let (mut a, proposed) = founded(&alice, &[&bob]);
    let welcome = proposed.welcome.unwrap();
    let found = alice.key_package();
    assert!(!welcome.windows(9).any(|part| part == b"gardeners"), "the title lies in the clear");
    bob.with(|scope| {
        let staged = scope.read_welcome(&welcome).unwrap();
        assert_eq!(staged.terms(), &group_terms(ChatKind::Group, "gardeners"));
        assert_eq!(staged.pack(), Some(&pack()));
        let mut b = staged.join(scope).unwrap();
        let said = alice.say(&mut a, "welcome");
        assert_eq!(bob.hear(&mut b, &said), "welcome");
    });
    assert!(!found.is_empty());
}

#[test]
fn terms_change_by_commits_and_the_change_shows() {
    let (alice, bob, carol) = (Party::new(1), Party::new(2), Party::new(3));
    let (mut a, proposed) = founded(&alice, &[&bob]);
    let mut b = bob.join(&proposed);
    let add = vec![alice.checked(&carol)];
    let terms = Some(group_terms(ChatKind::Group, "farmers"));
    let wanted = Wanted { add, terms: terms.clone(), pack: Some(pack()), ..Wanted::default() };
    let changed = alice.with(|scope| a.propose(scope, &aad(2, 1), &wanted)).unwrap();
    let judged = facts(&bob, &mut b, &changed.commit);
    assert_eq!(judged.terms_before, group_terms(ChatKind::Group, "gardeners"));
    assert_eq!((&judged.terms_after, judged.added.len(), judged.removed.len()), (&terms, 1, 0));
    bob.with(|scope| b.merge(scope, judged)).unwrap();
    alice.merge_own(&mut a);
    let mut c = carol.join(&changed);
    assert_eq!(Some(c.terms().unwrap()), terms);
    assert_eq!((a.tree(), b.tree()), (c.tree(), c.tree()));
    talk(&bob, &mut b, &carol, &mut c);
}

#[test]
fn a_group_is_left_by_removal_and_entered_again_by_a_welcome() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let (mut a, proposed) = founded(&alice, &[&bob]);
    let mut b = bob.join(&proposed);
    let wanted = Wanted { remove: vec![bob.me.device], ..Wanted::default() };
    let out = alice.with(|scope| a.propose(scope, &aad(2, 1), &wanted)).unwrap();
    let judged = facts(&bob, &mut b, &out.commit);
    assert!(judged.self_removed);
    bob.with(|scope| b.merge(scope, judged)).unwrap();
    alice.merge_own(&mut a);
    let secret = alice.say(&mut a, "without bob");
    assert_eq!(bob.open(&mut b, &secret).unwrap_err(), MlsError::Left);
    let wanted = Wanted { add: vec![alice.checked(&bob)], pack: Some(pack()), ..Wanted::default() };
    let again = alice.with(|scope| a.propose(scope, &aad(3, 2), &wanted)).unwrap();
    alice.merge_own(&mut a);
    let mut b = bob.join(&again);
    assert!(bob.open(&mut b, &secret).is_err(), "what went before must stay closed");
    talk(&alice, &mut a, &bob, &mut b);
}

#[test]
fn channels_are_classical_and_groups_are_not() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let package = bob.with(|scope| scope.key_package(Suite::Classical, false, LATER)).unwrap();
    let checked = alice
        .with(|scope| scope.check_key_package(&package, &bob.me.root, &bob.entry(), Suite::Classical, NOW).unwrap());
    let try_kind = |kind| {
        let terms = group_terms(kind, "news");
        alice.with(|scope| scope.found(&terms, Some(pack()), std::slice::from_ref(&checked), &aad(1, 0), [8; 16]))
    };
    let (_, proposed) = try_kind(ChatKind::Channel).unwrap();
    assert!(bob.try_join(&proposed.welcome.unwrap()).is_ok());
    assert!(matches!(try_kind(ChatKind::Group), Err(MlsError::BadKeyPackage(_))));
}

#[test]
fn a_group_without_a_pack_is_not_joined() {
    let (alice, bob) = (Party::new(1), Party::new(2));
    let packages = [alice.checked(&bob)];
    let terms = group_terms(ChatKind::Group, "gardeners");
    let (_, proposed) = alice.with(|scope| scope.found(&terms, None, &packages, &aad(1, 0), [9; 16])).unwrap();
    assert!(matches!(bob.try_join(&proposed.welcome.unwrap()), Err(MlsError::BadWelcome(_))));
}

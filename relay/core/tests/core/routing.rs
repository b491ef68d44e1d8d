//! Commits that change the routing, and undoing them.

use crate::world::{Person, World, chat_of, commit, devices, refused, sent};
use aside_protocol::envelope::{Envelope, EnvelopeKind, routing_of};
use aside_protocol::limits::{RETENTION_MS, ROUTES_PER_HOUR};
use aside_protocol::refusal::{Plain, RetryAfter, Stale};
use aside_protocol::request::{Answer, Done, Range, Route, Welcome};
use aside_protocol::{ChatId, Millis, Pos, Refusal, Seq};
use aside_relay_core::{By, Command};

fn three() -> (World, Person, Person, ChatId) {
    let (alice, bob) = (Person::new("alice", 2), Person::new("bob", 2));
    let mut world = World::with(&[&alice, &bob]);
    sent(&world.found(&alice, &bob, 1));
    let chat = chat_of(&alice, &bob);
    (world, alice, bob, chat)
}

fn route(world: &mut World, by: By, chat: ChatId, refused: u64) -> Answer {
    world.apply(Command::Route(by, Route { chat, refused: Seq(refused) })).answer
}

#[test]
fn a_removed_device_sees_the_commit_and_nothing_after_and_an_added_one_what_follows() {
    let (mut world, alice, bob, chat) = three();
    sent(&world.commit(alice.by(0), commit(chat, 2, Seq(1), &[], &[bob.device(1)])));
    sent(&world.send(alice.by(0), chat, 3, Seq(2), "without"));
    assert_eq!(world.seqs(bob.device(1)), [2]);
    let added = world.commit(alice.by(0), commit(chat, 4, Seq(2), &[bob.device(1)], &[]));
    assert_eq!(added.deliveries[0].to.len(), 2, "not to the added device");
    assert_eq!(devices(&added.deliveries[1]), [bob.device(1)], "the welcome");
    sent(&world.send(bob.by(1), chat, 1, Seq(4), "back"));
    assert_eq!(world.seqs(bob.device(1)), [2, 5]);
    let range = Range { chat, from: Seq(1), to: Seq(5) };
    let again = world.core.view().range(&bob.device(1), &range).unwrap().unwrap();
    assert_eq!(again.envelopes.iter().map(|e| e.seq.unwrap().0).collect::<Vec<_>>(), [2, 5]);
}

#[test]
fn a_device_removed_and_added_at_once_starts_again_at_one() {
    let (mut world, alice, bob, chat) = three();
    for n in 1..4 {
        sent(&world.send(bob.by(0), chat, n, Seq(1), &format!("m{n}")));
    }
    sent(&world.commit(alice.by(0), commit(chat, 2, Seq(1), &[bob.device(0)], &[bob.device(0)])));
    assert_eq!(sent(&world.send(bob.by(0), chat, 1, Seq(5), "again")).seq, Seq(6));
    assert_eq!(world.seqs(bob.device(0)), [2, 3, 4, 5, 6], "the commit belongs to its old interval");
}

#[test]
fn a_commit_says_what_it_asked_of_the_routing_wherever_it_is_read() {
    let (mut world, alice, bob, chat) = three();
    let list = bob.list_of(3, &bob.list(2, &bob.first_list()), &bob.devices[..1]);
    world.put_list(&bob, &list);
    let (a1, b0, b1) = (alice.device(1), bob.device(0), bob.device(1));
    let changes = [(vec![], vec![]), (vec![b0, a1], vec![b1, b0]), (vec![], vec![b1])];
    let mut wanted = Vec::new();
    for ((add, remove), n) in changes.iter().zip(2..) {
        let outcome = world.commit(alice.by(0), commit(chat, n, Seq(n - 1), add, remove));
        assert_eq!(outcome.deliveries[0].envelope.routing, routing_of(add, remove), "removed ones count too");
        wanted.push(routing_of(add, remove));
    }
    assert_eq!(wanted[0], None);
    assert_eq!(wanted[1], routing_of(&[a1, b0], &[b1]), "whoever is added again was not removed");
    assert_ne!(wanted[1], routing_of(&[a1, b0], &[]));
    sent(&world.send(alice.by(0), chat, 5, Seq(4), "no commit"));
    let commits = |envelopes: Vec<Envelope>| -> Vec<_> {
        let commits = envelopes.into_iter().filter(|envelope| envelope.kind == EnvelopeKind::Commit);
        commits.map(|envelope| envelope.routing).collect()
    };
    assert_eq!(commits(world.catch_up(alice.device(0), Pos(0), 9)), wanted, "its sender's echo as well");
    assert_eq!(commits(world.catch_up(a1, Pos(0), 9))[..2], wanted[..2]);
    let range = Range { chat, from: Seq(2), to: Seq(5) };
    let again = world.core.view().range(&alice.device(0), &range).unwrap().unwrap();
    assert_eq!(commits(again.envelopes), wanted);
    world.check_replay();
}

#[test]
fn inconsistent_changes_are_refused() {
    let (mut world, alice, bob, chat) = three();
    let carol = Person::new("carol", 1);
    world.settle(&carol);
    let (a1, b0, b1) = (alice.device(1), bob.device(0), bob.device(1));
    let twice_removed = commit(chat, 2, Seq(1), &[], &[b0, b0]);
    let stranger = commit(chat, 2, Seq(1), &[carol.device(0)], &[]);
    let oneself = commit(chat, 2, Seq(1), &[alice.device(0)], &[alice.device(0)]);
    let mut welcome_for_others = commit(chat, 2, Seq(1), &[b0], &[b0]);
    welcome_for_others.welcome = Some(Welcome { to: vec![a1], body: crate::world::body("w"), blob: None });
    for wrong in [twice_removed, stranger, oneself, welcome_for_others] {
        assert_eq!(refused(&world.commit(alice.by(0), wrong).answer), Refusal::Invalid(Plain {}));
    }
    let rightful = world.commit(alice.by(0), commit(chat, 2, Seq(1), &[b0], &[b0, b1]));
    assert_eq!(sent(&rightful).seq, Seq(2), "refusals took no number");
    let stale = world.commit(bob.by(0), commit(chat, 1, Seq(1), &[], &[]));
    assert_eq!(refused(&stale.answer), Refusal::Stale(Stale { base: Seq(2) }));
}

/// Members know who has a leaf, not who is routed.
#[test]
fn whoever_is_added_begins_anew_and_whoever_is_not_there_is_not_removed() {
    let (mut world, alice, bob, chat) = three();
    let carol = Person::new("carol", 1);
    world.settle(&carol);
    sent(&world.send(bob.by(1), chat, 1, Seq(1), "before"));
    sent(&world.commit(alice.by(0), commit(chat, 2, Seq(1), &[bob.device(1)], &[carol.device(0)])));
    sent(&world.send(bob.by(1), chat, 1, Seq(3), "after"));
    assert_eq!(world.seqs(bob.device(1)), [2, 3, 4], "the commit belongs to its old interval");
}

#[test]
fn a_refused_commit_is_undone_without_a_hole() {
    let (mut world, alice, bob, chat) = three();
    sent(&world.send(bob.by(0), chat, 1, Seq(1), "before"));
    let kicked = [alice.device(0), alice.device(1), bob.device(0)];
    sent(&world.commit(bob.by(1), commit(chat, 1, Seq(1), &[bob.device(0)], &kicked)));
    sent(&world.send(bob.by(1), chat, 2, Seq(3), "alone"));
    assert_eq!(refused(&route(&mut world, alice.by(0), chat, 2)), Refusal::Stale(Stale { base: Seq(3) }));
    assert_eq!(route(&mut world, alice.by(0), chat, 3), Answer::Done(Done::default()));
    assert_eq!(route(&mut world, alice.by(1), chat, 3), Answer::Done(Done::default()), "asked twice, done once");
    assert_eq!(world.seqs(alice.device(0)), [1, 2, 3, 4]);
    assert_eq!(world.seqs(bob.device(0)), [2, 3, 4]);
    sent(&world.send(bob.by(0), chat, 2, Seq(3), "its number goes on where it was"));
    sent(&world.send(alice.by(0), chat, 2, Seq(3), "the base stays"));
    assert_eq!(world.seqs(alice.device(1)), [2, 3, 4, 5, 6]);
}

/// Whoever is evicted by the first of them must not be so for good by the second.
#[test]
fn commits_of_one_account_are_undone_together_and_another_accounts_ends_that() {
    let (mut world, alice, bob, chat) = three();
    let others = [alice.device(0), alice.device(1)];
    sent(&world.send(alice.by(1), chat, 1, Seq(1), "before"));
    sent(&world.commit(bob.by(1), commit(chat, 1, Seq(1), &[], &others)));
    sent(&world.commit(bob.by(1), commit(chat, 2, Seq(3), &[], &[bob.device(0)])));
    sent(&world.commit(bob.by(1), commit(chat, 3, Seq(4), &[alice.device(1)], &[])));
    sent(&world.commit(bob.by(1), commit(chat, 4, Seq(5), &[], &[])));
    assert_eq!(refused(&route(&mut world, alice.by(0), chat, 7)), Refusal::NotMember(Plain {}));
    assert_eq!(refused(&route(&mut world, bob.by(1), chat, 7)), Refusal::Stale(Stale { base: Seq(6) }));
    assert_eq!(refused(&route(&mut world, bob.by(1), chat, 1)), Refusal::Stale(Stale { base: Seq(6) }));
    assert_eq!(refused(&route(&mut world, alice.by(1), chat, 5)), Refusal::NotMember(Plain {}), "not before that one");
    assert_eq!(route(&mut world, alice.by(0), chat, 3), Answer::Done(Done::default()));
    for person in [&alice, &bob] {
        for by in [person.by(0), person.by(1)] {
            assert_eq!(route(&mut world, by, chat, 4), Answer::Done(Done::default()), "undone with it");
        }
    }
    assert_eq!(world.seqs(alice.device(0)), [1, 2, 3, 4, 5, 6]);
    assert_eq!(world.seqs(alice.device(1)), [2, 3, 4, 5, 6]);
    assert_eq!(sent(&world.send(alice.by(1), chat, 2, Seq(6), "its number goes on")).seq, Seq(7));

    sent(&world.commit(bob.by(1), commit(chat, 5, Seq(6), &[], &others)));
    sent(&world.commit(bob.by(0), commit(chat, 1, Seq(8), &[], &[])));
    assert_eq!(route(&mut world, alice.by(0), chat, 8), Answer::Done(Done::default()), "the same account");
    sent(&world.commit(bob.by(1), commit(chat, 6, Seq(9), &[], &others[..1])));
    sent(&world.commit(alice.by(1), commit(chat, 3, Seq(10), &[], &[])));
    assert_eq!(refused(&route(&mut world, alice.by(0), chat, 10)), Refusal::NotMember(Plain {}), "it stands");
    assert_eq!(refused(&route(&mut world, bob.by(0), chat, 10)), Refusal::Stale(Stale { base: Seq(11) }));
    world.check_replay();
}

#[test]
fn what_is_undone_is_told_once_to_all_who_are_routed_then() {
    let (mut world, alice, bob, chat) = three();
    sent(&world.commit(alice.by(0), commit(chat, 2, Seq(1), &[], &[bob.device(1)])));
    let told = world.apply(Command::Route(bob.by(1), Route { chat, refused: Seq(2) }));
    let [delivery] = told.deliveries.as_slice() else { panic!("{told:?}") };
    let envelope = &delivery.envelope;
    assert_eq!((envelope.kind, envelope.base, envelope.from), (EnvelopeKind::Routed, Some(Seq(2)), bob.device(1)));
    assert_eq!((envelope.seq, envelope.n, envelope.hash, &envelope.body), (None, None, None, &None));
    let mut to = devices(delivery);
    to.sort();
    let mut all: Vec<_> = [&alice, &bob].iter().flat_map(|person| [person.device(0), person.device(1)]).collect();
    all.sort();
    assert_eq!(to, all, "who asked is routed again, too");
    for device in all {
        assert_eq!(world.catch_up(device, Pos(0), 9).last(), Some(envelope));
    }
    let again = world.apply(Command::Route(bob.by(0), Route { chat, refused: Seq(2) }));
    assert_eq!((again.answer, again.deliveries.len()), (Answer::Done(Done::default()), 0));
    sent(&world.commit(alice.by(0), commit(chat, 3, Seq(2), &[], &[])));
    let nothing = world.apply(Command::Route(bob.by(0), Route { chat, refused: Seq(3) }));
    assert_eq!((nothing.answer, nothing.deliveries.len()), (Answer::Done(Done::default()), 0), "it changed nothing");
    world.check_replay();
}

#[test]
fn whoever_is_not_routed_undoes_only_so_often() {
    let (mut world, alice, bob, chat) = three();
    for n in 0..ROUTES_PER_HOUR {
        sent(&world.commit(alice.by(0), commit(chat, 2 + n, Seq(1 + n), &[], &[bob.device(1)])));
        assert_eq!(route(&mut world, bob.by(1), chat, 2 + n), Answer::Done(Done::default()));
    }
    let n = ROUTES_PER_HOUR;
    sent(&world.commit(alice.by(0), commit(chat, 2 + n, Seq(1 + n), &[], &[bob.device(0), bob.device(1)])));
    let wait = Refusal::RateLimited(RetryAfter { retry_after_ms: 3_600_000 });
    assert_eq!(refused(&route(&mut world, bob.by(1), chat, 2 + n)), wait);
    assert_eq!(route(&mut world, bob.by(0), chat, 2 + n), Answer::Done(Done::default()), "another device");
    world.check_replay();
}

#[test]
fn what_is_older_than_the_log_is_not_undone_any_more() {
    let (mut world, alice, bob, chat) = three();
    sent(&world.commit(bob.by(0), commit(chat, 1, Seq(1), &[], &[alice.device(1)])));
    world.now = Millis(world.now.0 + RETENTION_MS + 1);
    sent(&world.commit(bob.by(0), commit(chat, 2, Seq(2), &[], &[alice.device(0)])));
    assert_eq!(refused(&route(&mut world, alice.by(1), chat, 2)), Refusal::NotMember(Plain {}));
    assert_eq!(refused(&route(&mut world, alice.by(0), chat, 2)), Refusal::Stale(Stale { base: Seq(3) }));
    assert_eq!(route(&mut world, alice.by(0), chat, 3), Answer::Done(Done::default()));
}

#[test]
fn only_devices_routed_before_undo_and_foundings_of_direct_chats_cannot_be_undone() {
    let (mut world, alice, bob, chat) = three();
    assert_eq!(refused(&route(&mut world, bob.by(0), chat, 1)), Refusal::Invalid(Plain {}));
    sent(&world.commit(alice.by(0), commit(chat, 2, Seq(1), &[], &[bob.device(1)])));
    sent(&world.commit(alice.by(0), commit(chat, 3, Seq(2), &[bob.device(1)], &[])));
    assert_eq!(refused(&route(&mut world, bob.by(1), chat, 3)), Refusal::NotMember(Plain {}));
    let stranger = Person::new("carol", 1);
    world.settle(&stranger);
    assert_eq!(refused(&route(&mut world, stranger.by(0), chat, 3)), Refusal::NotMember(Plain {}));
    assert_eq!(route(&mut world, bob.by(0), chat, 3), Answer::Done(Done::default()));
    assert_eq!(world.seqs(bob.device(1)), [2], "the interval that was undone is gone");
    assert!(world.core.view().routing(&bob.device(1), &chat).unwrap().is_none());
    assert_eq!(world.catch_up(bob.device(1), Pos(0), 9).len(), 3, "welcomes stay");
}

//! Founding direct chats: races, retries, again.

use crate::world::{Person, World, chat_of, commit, devices, founding, refused, sent};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::refusal::{DevicesChanged, Exists, Plain};
use aside_protocol::request::{Found, Sent};
use aside_protocol::{ChatId, Hash, N, Pos, Refusal, Seq};
use aside_relay_core::{By, Command, Outcome};

fn found(world: &mut World, by: By, request: Found) -> Outcome {
    world.apply(Command::Found(by, Hash::of(&request.body), request))
}

#[test]
fn of_two_foundings_at_once_the_first_wins() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    let first = world.found(&alice, &bob, 1);
    assert_eq!((sent(&first).seq, sent(&first).n), (Seq(1), N(1)));
    let second = world.found(&bob, &alice, 1);
    assert_eq!(refused(&second.answer), Refusal::Exists(Exists { incarnation: 1, base: Seq(1) }));
    for n in 2..80 {
        sent(&world.send(alice.by(0), chat_of(&alice, &bob), n, Seq(1), "x"));
    }
    let retried = world.found(&alice, &bob, 1);
    assert_eq!((&retried.answer, retried.deliveries.len()), (&first.answer, 0), "however late its retry comes");
    let other_bytes = founding(&alice, &bob, 1, "another");
    assert!(matches!(refused(&found(&mut world, alice.by(0), other_bytes).answer), Refusal::Exists(_)));
}

#[test]
fn only_the_two_accounts_with_all_their_devices_found() {
    let (alice, bob, carol) = (Person::new("alice", 2), Person::new("bob", 1), Person::new("carol", 1));
    let mut world = World::with(&[&alice, &bob, &carol]);
    let right = || founding(&alice, &bob, 1, "x");
    let invalid = Refusal::Invalid(Plain {});
    let fewer = Found { devices: vec![alice.device(0), bob.device(0)], welcome: None, ..right() };
    let changed = DevicesChanged { account: alice.account(), version: 2 };
    assert_eq!(refused(&found(&mut world, alice.by(0), fewer).answer), Refusal::DevicesChanged(changed));
    let mut more = right();
    more.devices.push(carol.device(0));
    assert_eq!(refused(&found(&mut world, alice.by(0), more).answer), invalid);
    let mut twice = right();
    twice.devices.push(bob.device(0));
    assert_eq!(refused(&found(&mut world, alice.by(0), twice).answer), invalid);
    let elsewhere = Found { chat: ChatId([1; 32]), ..right() };
    assert_eq!(refused(&found(&mut world, alice.by(0), elsewhere).answer), invalid);
    assert_eq!(refused(&found(&mut world, carol.by(0), right()).answer), invalid);
    let nobody = Person::new("nobody", 1);
    let unknown = founding(&alice, &nobody, 1, "x");
    assert_eq!(refused(&found(&mut world, alice.by(0), unknown).answer), Refusal::NotFound(Plain {}));
    let later = Found { incarnation: 2, ..right() };
    let none = Exists { incarnation: 0, base: Seq(0) };
    assert_eq!(refused(&found(&mut world, alice.by(0), later).answer), Refusal::Exists(none));
    sent(&found(&mut world, alice.by(0), right()));
}

#[test]
fn a_removed_device_that_is_named_means_look_again() {
    let (alice, bob) = (Person::new("alice", 2), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    let second = alice.list(2, &alice.first_list());
    world.put_list(&alice, &alice.list_of(3, &second, &alice.devices[..1]));
    let stale = founding(&bob, &alice, 1, "x");
    let changed = DevicesChanged { account: alice.account(), version: 3 };
    assert_eq!(refused(&found(&mut world, bob.by(0), stale).answer), Refusal::DevicesChanged(changed));
}

#[test]
fn the_next_incarnation_goes_on_with_seq_and_starts_n_again() {
    let (alice, bob) = (Person::new("alice", 2), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    let chat = chat_of(&alice, &bob);
    world.found(&alice, &bob, 1);
    world.send(bob.by(0), chat, 1, Seq(1), "old");
    let again = world.found(&bob, &alice, 2);
    let Sent { n, seq, .. } = sent(&again);
    assert_eq!((n, seq), (N(1), Seq(3)));
    assert_eq!(again.deliveries[0].to.len(), 2, "old members see the founding");
    assert_eq!(again.deliveries[1].envelope.base, Some(Seq(3)));
    assert_eq!(again.deliveries[1].envelope.incarnation, Some(2));
    assert_eq!(sent(&world.send(alice.by(0), chat, 1, Seq(3), "new")).seq, Seq(4));
    assert_eq!(sent(&world.send(bob.by(0), chat, 2, Seq(3), "new")).seq, Seq(5));
    assert_eq!(world.seqs(alice.device(0)), [1, 2, 3, 4, 5], "alice: no hole");
    assert_eq!(world.seqs(bob.device(0)), [2, 3, 4, 5], "bob: all but the first founding");
    let kinds: Vec<_> = world.catch_up(alice.device(1), Pos(0), 3).iter().map(|envelope| envelope.kind).collect();
    use EnvelopeKind::{Founding, Message, Welcome};
    assert_eq!(kinds, [Welcome, Message, Founding, Welcome, Message, Message]);
}

#[test]
fn foundings_right_after_one_another_or_after_a_commit_leave_no_hole() {
    let (alice, bob) = (Person::new("alice", 2), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    let chat = chat_of(&alice, &bob);
    world.found(&alice, &bob, 1);
    let bare = Found { welcome: None, ..founding(&alice, &bob, 2, "two") };
    sent(&found(&mut world, alice.by(0), bare));
    let bare = Found { welcome: None, ..founding(&bob, &alice, 3, "three") };
    sent(&found(&mut world, bob.by(0), bare));
    let mut re_add = commit(chat, 2, Seq(3), &[alice.device(0)], &[alice.device(0)]);
    re_add.welcome = None;
    assert_eq!(sent(&world.commit(bob.by(0), re_add)).seq, Seq(4));
    let bare = Found { welcome: None, ..founding(&alice, &bob, 4, "four") };
    assert_eq!(sent(&found(&mut world, alice.by(0), bare)).seq, Seq(5));
    assert_eq!(world.seqs(alice.device(0)), [1, 2, 3, 4, 5]);
    assert_eq!(world.seqs(bob.device(0)), [2, 3, 4, 5]);
}

#[test]
fn a_chat_with_oneself_is_founded_like_any_other() {
    let (alice, hermit) = (Person::new("alice", 2), Person::new("hermit", 1));
    let mut world = World::with(&[&alice, &hermit]);
    sent(&world.found(&alice, &alice, 1));
    let message = world.send(alice.by(1), chat_of(&alice, &alice), 1, Seq(1), "note");
    assert_eq!(devices(&message.deliveries[0]), [alice.device(0)]);
    sent(&world.found(&hermit, &hermit, 1));
}

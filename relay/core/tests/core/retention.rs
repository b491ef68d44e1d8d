//! What is deleted, and what must not be.

use crate::world::{INVITE, Person, World, chat_of, refused, sent};
use aside_protocol::limits::RETENTION_MS;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Range, Receipt};
use aside_protocol::{Millis, Pos, Refusal, Seq};
use aside_relay_core::{Command, Outcome};

fn retain(world: &mut World, limit: u32) -> u32 {
    let mut steps = 1;
    while world.apply(Command::Retain { limit }).more {
        steps += 1;
        assert!(steps < 1_000, "retention ends");
    }
    steps
}

fn chatting() -> (World, Person, Person, Vec<Outcome>) {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 2));
    let mut world = World::with(&[&alice, &bob]);
    world.found(&alice, &bob, 1);
    let chat = chat_of(&alice, &bob);
    let outcomes = (2..12).map(|n| world.send(alice.by(0), chat, n, Seq(1), "x")).collect();
    (world, alice, bob, outcomes)
}

fn held(world: &World, alice: &Person, bob: &Person) -> (Vec<u64>, u64) {
    let range = Range { chat: chat_of(alice, bob), from: Seq(0), to: Seq(u64::MAX) };
    let held = world.core.view().range(&alice.device(0), &range).unwrap().unwrap();
    (held.envelopes.iter().map(|envelope| envelope.seq.unwrap().0).collect(), held.first.0)
}

#[test]
fn what_all_have_acknowledged_goes_and_what_one_has_not_stays() {
    let (mut world, alice, bob, outcomes) = chatting();
    let head = world.core.view().head().unwrap();
    world.ack(alice.device(0), head);
    world.ack(bob.device(0), head);
    retain(&mut world, 100);
    assert_eq!(held(&world, &alice, &bob), ((2..=11).collect(), 2), "only the founder was meant to have the founding");
    world.ack(bob.device(1), outcomes[4].deliveries[0].envelope.pos);
    retain(&mut world, 2);
    assert_eq!(held(&world, &alice, &bob), ((7..=11).collect(), 7));
    assert_eq!(world.seqs(bob.device(1)), (7..=11).collect::<Vec<_>>());
    world.ack(bob.device(1), Pos(u64::MAX));
    retain(&mut world, 3);
    assert_eq!(held(&world, &alice, &bob), (vec![], 12));
    let next = world.send(alice.by(0), chat_of(&alice, &bob), 12, Seq(1), "x");
    assert_eq!(sent(&next).seq, Seq(12));
    assert_eq!(world.seqs(bob.device(1)), [12]);
}

#[test]
fn a_removed_device_holds_nothing_back() {
    let (mut world, alice, bob, _) = chatting();
    let head = world.core.view().head().unwrap();
    world.ack(alice.device(0), head);
    world.ack(bob.device(0), head);
    let second = bob.list(2, &bob.first_list());
    world.put_list(&bob, &bob.list_of(3, &second, &bob.devices[..1]));
    retain(&mut world, 100);
    assert_eq!(held(&world, &alice, &bob).0, Vec::<u64>::new());
}

#[test]
fn what_is_older_than_thirty_days_goes_whoever_has_not_had_it() {
    let (mut world, alice, bob, _) = chatting();
    let chat = chat_of(&alice, &bob);
    let receipt = Receipt { chat, base: Seq(1), body: crate::world::body("r") };
    world.apply(Command::Receipt(alice.by(0), receipt));
    world.now = Millis(world.now.0 + RETENTION_MS);
    sent(&world.send(alice.by(0), chat, 12, Seq(1), "young"));
    retain(&mut world, 4);
    assert_eq!(world.catch_up(bob.device(1), Pos(0), 5).len(), 13, "exactly thirty days is not older");
    world.now = Millis(world.now.0 + 1);
    let steps = retain(&mut world, 4);
    assert!(steps > 2, "bounded work a step");
    let left = world.catch_up(bob.device(1), Pos(0), 5);
    assert_eq!(left.iter().map(|envelope| envelope.seq).collect::<Vec<_>>(), [Some(Seq(12))]);
    assert_eq!(held(&world, &alice, &bob).1, 12);
}

#[test]
fn an_expired_invite_is_told_apart_from_an_unknown_one_for_thirty_days() {
    let (mut world, alice) = (World::new(), Person::new("alice", 1));
    world.now = Millis(world.now.0 * 2);
    retain(&mut world, 10);
    assert_eq!(refused(&world.register(&alice)), Refusal::InviteExpired(Plain {}));
    world.now = Millis(world.now.0 + RETENTION_MS + 1);
    retain(&mut world, 10);
    assert_eq!(refused(&world.register(&alice)), Refusal::InviteUnknown(Plain {}));
    assert_eq!(INVITE, alice.registration().invite);
}

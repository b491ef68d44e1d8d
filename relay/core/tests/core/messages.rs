//! Messages: numbers, bases, answers, deliveries.

use crate::world::{Person, World, body, chat_of, commit, devices, refused, sent};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::refusal::{Conflict, OutOfOrder, Plain, Stale, TooLarge};
use aside_protocol::request::{Answer, Receipt, Rejoin};
use aside_protocol::{ChatId, Hash, Millis, N, Pos, Refusal, Seq};
use aside_relay_core::Command;

fn pair() -> (World, Person, Person, ChatId) {
    let (alice, bob) = (Person::new("alice", 2), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    sent(&world.found(&alice, &bob, 1));
    let chat = chat_of(&alice, &bob);
    (world, alice, bob, chat)
}

#[test]
fn a_message_is_pushed_to_the_others_and_echoed() {
    let (mut world, alice, bob, chat) = pair();
    let outcome = world.send(alice.by(0), chat, 2, Seq(1), "hi");
    let [delivery] = outcome.deliveries.as_slice() else { panic!("one delivery") };
    let mut to = devices(delivery);
    to.sort();
    let mut wanted = vec![alice.device(1), bob.device(0)];
    wanted.sort();
    assert_eq!((to, delivery.echo), (wanted, Some(alice.device(0))));
    assert_eq!(delivery.envelope.hash, Some(Hash::of(b"hi")));
    let own = world.catch_up(alice.device(0), Pos(0), 10).pop().unwrap();
    assert_eq!((own.body, own.hash, own.n), (None, Some(Hash::of(b"hi")), Some(N(2))));
    assert_eq!(world.catch_up(bob.device(0), Pos(0), 10).last(), Some(&delivery.envelope));
}

#[test]
fn checks_come_in_their_order() {
    let (mut world, alice, bob, chat) = pair();
    world.send(bob.by(0), chat, 1, Seq(1), "one");
    let say = |world: &mut World, n, base, text| world.send(bob.by(0), chat, n, Seq(base), text).answer;
    assert!(matches!(say(&mut world, 1, 0, "one"), Answer::Sent(_)), "a retry, whatever its base");
    let conflict = Conflict { n: N(1), hash: Hash::of(b"one") };
    assert_eq!(refused(&say(&mut world, 1, 1, "two")), Refusal::Conflict(conflict));
    let gap = OutOfOrder { expected: N(2) };
    assert_eq!(refused(&say(&mut world, 3, 0, "x")), Refusal::OutOfOrder(gap), "before the base");
    assert_eq!(refused(&say(&mut world, 2, 0, "x")), Refusal::Stale(Stale { base: Seq(1) }));
    assert_eq!(refused(&say(&mut world, 2, 2, "x")), Refusal::Stale(Stale { base: Seq(1) }));
    assert_eq!(refused(&say(&mut world, 0, 1, "x")), Refusal::Invalid(Plain {}));
    assert_eq!(refused(&say(&mut world, 2, 1, "")), Refusal::Invalid(Plain {}));
    let long = "x".repeat(65_537);
    assert_eq!(refused(&say(&mut world, 2, 1, &long)), Refusal::TooLarge(TooLarge { limit: 65_536 }));
    sent(&world.commit(alice.by(0), commit(chat, 2, Seq(1), &[], &[bob.device(0)])));
    assert!(matches!(say(&mut world, 1, 1, "one"), Answer::Sent(_)), "who has left still gets its lost answer");
    assert_eq!(refused(&say(&mut world, 2, 1, "x")), Refusal::NotMember(Plain {}), "before the base");
    for n in [0, 1, 3] {
        assert_eq!(refused(&say(&mut world, n, 1, "x")), Refusal::NotMember(Plain {}), "no number tells who is not in");
    }
    let nowhere = world.send(bob.by(0), ChatId([9; 32]), 1, Seq(0), "x").answer;
    assert_eq!(refused(&nowhere), Refusal::NotMember(Plain {}));
}

#[test]
fn sixty_four_answers_are_kept() {
    let (mut world, alice, _, chat) = pair();
    for n in 2..=70 {
        sent(&world.send(alice.by(0), chat, n, Seq(1), &format!("m{n}")));
    }
    let kept = world.send(alice.by(0), chat, 7, Seq(1), "m7");
    assert_eq!((sent(&kept).seq, kept.deliveries.len()), (Seq(7), 0));
    assert_eq!(refused(&world.send(alice.by(0), chat, 6, Seq(1), "m6").answer), Refusal::TooOld(Plain {}));
}

#[test]
fn somebody_elses_account_or_an_unknown_device_is_invalid() {
    let (mut world, alice, bob, chat) = pair();
    let mixed = aside_relay_core::By { account: bob.account(), ..alice.by(0) };
    assert_eq!(refused(&world.send(mixed, chat, 2, Seq(1), "x").answer), Refusal::Invalid(Plain {}));
    let nobody = Person::new("nobody", 1).by(0);
    assert_eq!(refused(&world.send(nobody, chat, 1, Seq(1), "x").answer), Refusal::Invalid(Plain {}));
}

#[test]
fn time_never_goes_back() {
    let (mut world, alice, _, chat) = pair();
    world.now = Millis(world.now.0 + 5_000);
    let later = sent(&world.send(alice.by(0), chat, 2, Seq(1), "a")).time;
    world.now = Millis(world.now.0 - 4_000);
    assert_eq!(sent(&world.send(alice.by(0), chat, 3, Seq(1), "b")).time, later);
}

#[test]
fn receipts_have_one_slot_each_and_rejoins_reach_all_others() {
    let (mut world, alice, bob, chat) = pair();
    let receipt = |base| Command::Receipt(bob.by(0), Receipt { chat, base: Seq(base), body: body("r") });
    assert_eq!(refused(&world.apply(receipt(9)).answer), Refusal::Invalid(Plain {}), "no such commit yet");
    let first = world.apply(receipt(1));
    let second = world.apply(receipt(1));
    assert_eq!(second.deliveries[0].to.len(), 2);
    let kinds: Vec<EnvelopeKind> =
        world.catch_up(alice.device(1), Pos(0), 1).iter().map(|envelope| envelope.kind).collect();
    assert_eq!(kinds, [EnvelopeKind::Welcome, EnvelopeKind::Receipt]);
    assert!(first.deliveries[0].envelope.pos < second.deliveries[0].envelope.pos);
    assert_eq!(world.catch_up(bob.device(0), Pos(0), 10).len(), 1, "not to the reader itself");

    let rejoin = world.apply(Command::Rejoin(alice.by(1), Rejoin { chat, body: body("again") }));
    assert!(matches!(rejoin.answer, Answer::Done(done) if done.pos.is_some()));
    for device in [alice.device(0), bob.device(0)] {
        assert_eq!(world.catch_up(device, Pos(0), 10).last().unwrap().kind, EnvelopeKind::Rejoin);
    }
    let stranger = Person::new("carol", 1);
    world.settle(&stranger);
    let asked = world.apply(Command::Rejoin(stranger.by(0), Rejoin { chat, body: body("again") }));
    assert_eq!(refused(&asked.answer), Refusal::NotMember(Plain {}));
}

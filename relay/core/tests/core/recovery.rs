//! Recovering an account by its root key, and what becomes of the memberships of removed devices.

use crate::world::{Person, World, body, chat_of, commit, devices, group_founding, refused, sent};
use aside_protocol::refusal::{DevicesChanged, Plain};
use aside_protocol::request::{Answer, ChatOf, Chats, Done, Origin, Rejoin, Route};
use aside_protocol::{Body, ChatId, DeviceId, GroupNonce, Pos, Refusal, Seq};
use aside_relay_core::command::Recovery;
use aside_relay_core::{Command, Outcome};

const INVALID: Refusal = Refusal::Invalid(Plain {});

fn recover(world: &mut World, person: &Person, device: DeviceId, list: &Body) -> Outcome {
    world.apply(Command::Recover(Recovery { account: person.account(), device, list: list.clone() }))
}

fn chats(world: &World, device: DeviceId) -> Vec<(ChatId, bool)> {
    let found = world.core.view().chats(&device, &Chats::default()).unwrap();
    found.chats.iter().map(|ChatOf { chat, routed, .. }| (*chat, *routed)).collect()
}

/// Bob with three devices, of which the first two are listed; a group of alice and those two.
struct Lost {
    world: World,
    alice: Person,
    bob: Person,
    second: Body,
    chat: ChatId,
}

impl Lost {
    fn new() -> Self {
        let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 3));
        let mut world = World::with(&[&alice]);
        world.register(&bob);
        let second = bob.list_of(2, &bob.first_list(), &bob.devices[..2]);
        assert!(matches!(world.put_list(&bob, &second), Answer::Done(_)));
        let origin = Origin { account: alice.account(), nonce: GroupNonce([1; 16]) };
        let members = [alice.device(0), bob.device(0), bob.device(1)];
        sent(&world.found_group(alice.by(0), group_founding(origin, &members, 1, "x")));
        let chat = ChatId::group(&origin.account, &origin.nonce);
        Self { world, alice, bob, second, chat }
    }

    /// The third device alone.
    fn third(&self) -> Body {
        self.bob.list_of(3, &self.second, &self.bob.devices[2..])
    }

    fn recover(&mut self) -> Outcome {
        let (device, list) = (self.bob.device(2), self.third());
        recover(&mut self.world, &self.bob, device, &list)
    }
}

#[test]
fn a_recovery_puts_the_device_in_and_removes_the_others_and_succeeds_again() {
    let mut lost = Lost::new();
    let first = lost.recover();
    assert!(matches!(first.answer, Answer::Done(Done { hash: Some(_), .. })), "{first:?}");
    assert_eq!(first.revoked, [lost.bob.device(0), lost.bob.device(1)]);
    let again = lost.recover();
    assert_eq!((again.answer, again.revoked), (first.answer, vec![]));
    let info = lost.world.core.view().device(&lost.bob.device(2)).unwrap().unwrap();
    assert_eq!((info.account, info.revoked), (lost.bob.account(), false));
    assert!(lost.world.core.view().device(&lost.bob.device(0)).unwrap().unwrap().revoked);
    lost.world.check_replay();
}

#[test]
fn a_recovery_that_does_not_hold_is_refused_and_changes_nothing() {
    let mut lost = Lost::new();
    let before = lost.world.core.state_hash().unwrap();
    let (device, list) = (lost.bob.device(2), lost.third());
    let Lost { world, alice, bob, second, .. } = &mut lost;
    assert_eq!(refused(&recover(world, bob, device, &body("junk")).answer), INVALID);
    assert_eq!(refused(&recover(world, bob, bob.device(0), &list).answer), INVALID, "the list lacks the device");
    assert_eq!(refused(&recover(world, alice, device, &list).answer), INVALID, "another account's list");
    let nobody = Person::new("nobody", 1);
    let unknown = recover(world, &nobody, nobody.device(0), &nobody.first_list());
    assert_eq!(refused(&unknown.answer), Refusal::NotFound(Plain {}));
    let skipping = bob.list_of(4, second, &bob.devices[2..]);
    assert_eq!(refused(&recover(world, bob, device, &skipping).answer), INVALID);
    let late = bob.list_of(2, &bob.first_list(), &bob.devices[2..]);
    let changed = DevicesChanged { account: bob.account(), version: 2 };
    assert_eq!(refused(&recover(world, bob, device, &late).answer), Refusal::DevicesChanged(changed));
    let by_device = bob.list_by_device(3, second, &bob.devices[1..], 0);
    assert_eq!(refused(&recover(world, bob, device, &by_device).answer), INVALID, "not signed by the root");
    let mut stolen = Person::new("bob", 3);
    stolen.devices[2] = Person::new("alice", 1).devices.remove(0);
    let list = stolen.list_of(3, second, &stolen.devices[2..]);
    let taken = recover(world, bob, stolen.device(2), &list);
    assert_eq!(refused(&taken.answer), Refusal::AlreadyRegistered(Plain {}));
    assert_eq!(world.core.state_hash().unwrap(), before);
}

#[test]
fn nothing_is_routed_to_a_removed_device_and_its_chats_are_remembered() {
    let mut lost = Lost::new();
    sent(&lost.world.found(&lost.alice, &lost.bob_of_two(), 1));
    lost.recover();
    let (direct, group) = (chat_of(&lost.alice, &lost.bob), lost.chat);
    let mut wanted = vec![(direct, false), (group, false)];
    wanted.sort();
    assert_eq!(chats(&lost.world, lost.bob.device(2)), wanted);
    let Lost { world, alice, bob, chat, .. } = &mut lost;
    let message = world.send(alice.by(0), *chat, 2, Seq(1), "to nobody");
    assert!(message.deliveries[0].to.is_empty());
    let routed = world.core.view().routing(&alice.device(0), chat).unwrap().unwrap();
    assert_eq!(routed.devices, [alice.device(0)]);
    let asked = world.apply(Command::Rejoin(bob.by(2), Rejoin { chat: *chat, body: body("again") }));
    assert_eq!(devices(&asked.deliveries[0]), [alice.device(0)]);

    let all: Vec<DeviceId> = bob.devices.iter().map(|(device, _)| *device).collect();
    let sync = world.commit(alice.by(0), commit(*chat, 3, Seq(1), &all[2..], &all[..2]));
    assert_eq!(sent(&sync).seq, Seq(3), "the members' commit names the removed ones");
    assert_eq!(sent(&world.send(bob.by(2), *chat, 1, Seq(3), "back")).seq, Seq(4));
    assert!(chats(world, bob.device(2)).contains(&(*chat, true)));
    assert_eq!(world.seqs(bob.device(0)), Vec::<u64>::new(), "what it had not fetched waits for nobody");
}

impl Lost {
    fn bob_of_two(&self) -> Person {
        let mut bob = Person::new("bob", 3);
        bob.devices.truncate(2);
        bob
    }
}

#[test]
fn a_removal_without_an_addition_leaves_the_way_back_and_leaving_does_not() {
    let mut lost = Lost::new();
    lost.recover();
    let Lost { world, alice, bob, chat, .. } = &mut lost;
    let old = [bob.device(0), bob.device(1)];
    sent(&world.commit(alice.by(0), commit(*chat, 2, Seq(1), &[], &old)));
    assert_eq!(chats(world, bob.device(2)), [(*chat, false)], "its leaves are gone, the account is not");
    sent(&world.commit(alice.by(0), commit(*chat, 3, Seq(2), &[bob.device(2)], &[])));
    sent(&world.commit(alice.by(0), commit(*chat, 4, Seq(3), &[], &[bob.device(2)])));
    assert_eq!(chats(world, bob.device(2)), []);
    let asked = world.apply(Command::Rejoin(bob.by(2), Rejoin { chat: *chat, body: body("again") }));
    assert_eq!(refused(&asked.answer), Refusal::NotMember(Plain {}));
    world.check_replay();
}

#[test]
fn undoing_a_removal_does_not_bring_a_removed_device_back() {
    let mut lost = Lost::new();
    let Lost { world, alice, bob, chat, second } = &mut lost;
    sent(&world.commit(alice.by(0), commit(*chat, 2, Seq(1), &[], &[bob.device(0), bob.device(1)])));
    let list = bob.list_of(3, second, &bob.devices[1..]);
    world.put_list(bob, &list);
    let undone = world.apply(Command::Route(alice.by(0), Route { chat: *chat, refused: Seq(2) }));
    assert_eq!(undone.answer, Answer::Done(Done::default()));
    let routed = world.core.view().routing(&alice.device(0), chat).unwrap().unwrap();
    assert_eq!(routed.devices.len(), 2, "alice's and bob's second");
    assert!(!routed.devices.contains(&bob.device(0)));
    sent(&world.commit(alice.by(0), commit(*chat, 3, Seq(2), &[], &[bob.device(0)])));
    assert_eq!(world.seqs(bob.device(1)), [2, 3]);
    world.check_replay();
}

#[test]
fn undoing_the_addition_of_a_device_removed_since_leaves_nothing_of_it() {
    let mut lost = Lost::new();
    let Lost { world, alice, bob, chat, second } = &mut lost;
    let list = bob.list_of(3, second, &bob.devices);
    world.put_list(bob, &list);
    sent(&world.commit(alice.by(0), commit(*chat, 2, Seq(1), &[bob.device(2)], &[])));
    let fewer = bob.list_of(4, &list, &bob.devices[..2]);
    world.put_list(bob, &fewer);
    let undone = world.apply(Command::Route(alice.by(0), Route { chat: *chat, refused: Seq(2) }));
    assert_eq!(undone.answer, Answer::Done(Done::default()));
    let routed = world.core.view().routing(&alice.device(0), chat).unwrap().unwrap();
    assert_eq!(routed.devices.len(), 3);
    sent(&world.send(bob.by(1), *chat, 1, Seq(2), "goes on"));
    assert_eq!(world.catch_up(bob.device(2), Pos(0), 9), []);
}

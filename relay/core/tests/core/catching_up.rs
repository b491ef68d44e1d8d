//! Catching up while things change.

use crate::world::{Person, World, chat_of, sent};
use aside_protocol::request::Receipt;
use aside_protocol::{Pos, Seq};
use aside_relay_core::{CatchUp, Command, Core, Location, Reader};

#[test]
fn many_chats_are_merged_by_position_and_new_ones_are_found() {
    let hub = Person::new("hub", 1);
    let friends: Vec<Person> = (0..8).map(|i| Person::new(&format!("friend{i}"), 1)).collect();
    let mut world = World::with(&[&hub]);
    friends.iter().for_each(|friend| world.settle(friend));
    for friend in &friends[..6] {
        world.found(friend, &hub, 1);
    }
    for n in 2..7 {
        for friend in friends[..6].iter().rev() {
            sent(&world.send(friend.by(0), chat_of(friend, &hub), n, Seq(1), "x"));
        }
    }
    let (mut catch_up, mut got) = (CatchUp::new(hub.device(0), Pos(0)), Vec::new());
    let page = catch_up.next_page(&world.core.view(), 4, usize::MAX).unwrap();
    got.extend(page.envelopes);
    for friend in &friends[6..] {
        world.found(friend, &hub, 1);
        let receipt = Receipt { chat: chat_of(friend, &hub), base: Seq(1), body: crate::world::body("r") };
        world.apply(Command::Receipt(friend.by(0), receipt));
    }
    loop {
        let page = catch_up.next_page(&world.core.view(), 4, usize::MAX).unwrap();
        match page.done_up_to {
            Some(done) => break assert_eq!(done, world.core.view().head().unwrap()),
            None => got.extend(page.envelopes),
        }
    }
    assert_eq!(got.len(), 6 + 30 + 2 * 2);
    assert!(got.windows(2).all(|pair| pair[0].pos < pair[1].pos));
}

#[test]
fn pages_are_bounded_by_bytes_but_never_empty() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    world.found(&alice, &bob, 1);
    for n in 2..8 {
        sent(&world.send(alice.by(0), chat_of(&alice, &bob), n, Seq(1), &"x".repeat(1_000)));
    }
    let mut catch_up = CatchUp::new(bob.device(0), Pos(2));
    let sizes: Vec<usize> = [2_500, 10, 2_000, 5_000]
        .map(|bytes| catch_up.next_page(&world.core.view(), 100, bytes).unwrap().envelopes.len())
        .into();
    assert_eq!(sizes, [2, 1, 2, 1]);
}

#[test]
fn a_reader_of_its_own_sees_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::on(&Location::File(path.clone()));
    world.settle(&alice);
    world.settle(&bob);
    let reader = Reader::open(&path).unwrap();
    let mut catch_up = CatchUp::new(bob.device(0), Pos(0));
    let mut page = || reader.snapshot(|view| catch_up.next_page(view, 10, 1 << 20)).unwrap();
    assert_eq!(page().done_up_to, Some(Pos(0)));
    world.found(&alice, &bob, 1);
    assert_eq!(page().envelopes.len(), 1);
    assert_eq!(page().done_up_to, Some(Pos(2)));
    drop(world);
    let reopened = Core::open(&Location::File(path)).unwrap();
    assert_eq!(reopened.view().head().unwrap(), Pos(2));
}

#[test]
fn an_unknown_device_and_a_cursor_ahead_have_nothing_to_catch_up() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    world.found(&alice, &bob, 1);
    let nobody = Person::new("nobody", 1);
    assert!(world.catch_up(nobody.device(0), Pos(0), 5).is_empty());
    assert!(world.catch_up(bob.device(0), Pos(99), 5).is_empty());
}

//! Groups and channels: founding, commits, leaving, joining, receipts of many devices.

use crate::world::{Person, World, body, chat_of, commit, devices, group_founding, refused, sent};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::{
    JOIN_REQUEST_DEVICES, JOIN_REQUESTS_PER_HOUR, LEAVES_PER_HOUR, MAX_ASKING, RECEIPT_PUSH_DEVICES, REJOINS_PER_HOUR,
};
use aside_protocol::refusal::{DevicesChanged, Exists, Plain, RetryAfter, Stale, TooLarge};
use aside_protocol::request::{Answer, Chats, Done, Found, Join, Leave, Origin, Receipt, Receipts, Rejoin, Route};
use aside_protocol::{ChatId, DeviceId, GroupNonce, Millis, Pos, Refusal, Seq};
use aside_relay_core::{Command, Outcome};

const INVALID: Refusal = Refusal::Invalid(Plain {});
const NOT_MEMBER: Refusal = Refusal::NotMember(Plain {});

fn origin(founder: &Person) -> Origin {
    Origin { account: founder.account(), nonce: GroupNonce([5; 16]) }
}

fn id(founder: &Person) -> ChatId {
    ChatId::group(&founder.account(), &GroupNonce([5; 16]))
}

/// Three accounts of two devices; a group of the first device of each.
fn group() -> (World, Vec<Person>, ChatId) {
    let people: Vec<Person> = ["alice", "bob", "carol"].iter().map(|name| Person::new(name, 2)).collect();
    let mut world = World::with(&people.iter().collect::<Vec<_>>());
    let members: Vec<DeviceId> = people.iter().map(|person| person.device(0)).collect();
    let founded = world.found_group(people[0].by(0), group_founding(origin(&people[0]), &members, 1, "one"));
    assert_eq!(sent(&founded).seq, Seq(1));
    assert_eq!(devices(&founded.deliveries[1]).len(), 2, "the welcome");
    let chat = id(&people[0]);
    (world, people, chat)
}

/// A group of so many people with a device each, the first its founder.
fn crowd(people: usize) -> (World, Vec<Person>, ChatId) {
    let people: Vec<Person> = (0..people).map(|i| Person::new(&format!("p{i:05}"), 1)).collect();
    let mut world = World::with(&people.iter().collect::<Vec<_>>());
    let members: Vec<DeviceId> = people.iter().map(|person| person.device(0)).collect();
    sent(&world.found_group(people[0].by(0), group_founding(origin(&people[0]), &members, 1, "crowd")));
    let chat = id(&people[0]);
    (world, people, chat)
}

#[test]
fn a_group_is_found_by_its_origin_with_present_devices() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 2));
    let mut world = World::with(&[&alice, &bob]);
    let list = bob.list_of(3, &bob.list(2, &bob.first_list()), &bob.devices[..1]);
    world.put_list(&bob, &list);
    let right = |devices: &[DeviceId]| group_founding(origin(&alice), devices, 1, "x");
    let both = [alice.device(0), bob.device(0)];
    let mut found = |request: Found| refused(&world.found_group(alice.by(0), request).answer);
    assert_eq!(found(Found { chat: chat_of(&alice, &bob), ..right(&both) }), INVALID, "another chat's id");
    assert_eq!(found(Found { body: body("short"), ..right(&both) }), INVALID);
    assert_eq!(found(Found { accounts: vec![alice.account(), bob.account()], ..right(&both) }), INVALID);
    assert_eq!(found(Found { origin: None, ..right(&both) }), INVALID);
    assert_eq!(found(right(&[bob.device(0)])), INVALID, "without its founder");
    assert_eq!(found(right(&[alice.device(0), alice.device(0)])), INVALID, "twice");
    assert_eq!(found(right(&[alice.device(0), DeviceId([9; 16])])), INVALID, "unknown");
    let changed = DevicesChanged { account: bob.account(), version: 3 };
    assert_eq!(found(right(&[alice.device(0), bob.device(1)])), Refusal::DevicesChanged(changed));
    assert_eq!(
        found(Found { incarnation: 2, ..right(&both) }),
        Refusal::Exists(Exists { incarnation: 0, base: Seq(0) })
    );
    let many: Vec<DeviceId> = (0..10_001u128).map(|i| DeviceId(i.to_be_bytes())).collect();
    assert_eq!(found(right(&many)), Refusal::TooLarge(TooLarge { limit: 10_000 }));
    sent(&world.found_group(alice.by(0), right(&both)));
    assert_eq!(sent(&world.send(bob.by(0), id(&alice), 1, Seq(1), "hi")).seq, Seq(2));
}

#[test]
fn only_who_is_routed_founds_again_and_a_repeat_succeeds() {
    let (mut world, people, chat) = group();
    let (alice, bob, carol) = (&people[0], &people[1], &people[2]);
    let again = group_founding(origin(alice), &[bob.device(0), bob.device(1)], 2, "two");
    let stranger = group_founding(origin(alice), &[carol.device(1)], 2, "two");
    assert_eq!(refused(&world.found_group(carol.by(1), stranger.clone()).answer), NOT_MEMBER);
    let first = Found { incarnation: 1, ..stranger };
    assert_eq!(refused(&world.found_group(carol.by(1), first).answer), NOT_MEMBER, "nor learns what stands");
    let founded = world.found_group(bob.by(0), again.clone());
    assert_eq!(sent(&founded).seq, Seq(2));
    assert_eq!(world.found_group(bob.by(0), again.clone()).answer, founded.answer);
    let others = group_founding(origin(alice), &[carol.device(0)], 2, "mine");
    let stands = Refusal::Exists(Exists { incarnation: 2, base: Seq(2) });
    assert_eq!(refused(&world.found_group(carol.by(0), others).answer), stands, "who was left out learns it");
    assert_eq!(sent(&world.send(bob.by(1), chat, 1, Seq(2), "two")).seq, Seq(3));
    assert_eq!(world.seqs(carol.device(0)), [2], "who was left out sees the founding");
}

fn route(world: &mut World, by: aside_relay_core::By, chat: ChatId, refused: u64) -> Answer {
    world.apply(Command::Route(by, Route { chat, refused: Seq(refused) })).answer
}

fn routed(world: &World, person: &Person, chat: ChatId) -> Option<(usize, u64, Seq)> {
    let routed = world.core.view().routing(&person.device(0), &chat).unwrap();
    routed.map(|routed| (routed.devices.len(), routed.incarnation, routed.base))
}

/// Otherwise any member's device takes the group from everybody.
#[test]
fn a_founding_is_undone_like_a_commit_by_whom_it_left_out() {
    let (mut world, people, chat) = group();
    let (alice, bob, carol) = (&people[0], &people[1], &people[2]);
    sent(&world.send(carol.by(0), chat, 1, Seq(1), "before"));
    assert_eq!(refused(&route(&mut world, alice.by(0), chat, 1)), INVALID, "nothing was before it");
    let taken = group_founding(origin(alice), &[bob.device(0), bob.device(1)], 2, "mine");
    assert_eq!(sent(&world.found_group(bob.by(0), taken.clone())).seq, Seq(3));
    sent(&world.commit(bob.by(0), commit(chat, 2, Seq(3), &[], &[bob.device(1)])));
    assert_eq!(routed(&world, carol, chat), None);
    assert_eq!(refused(&route(&mut world, bob.by(1), chat, 3)), NOT_MEMBER, "nobody in the incarnation before");
    assert_eq!(route(&mut world, carol.by(0), chat, 3), Answer::Done(Done::default()));
    assert_eq!(route(&mut world, alice.by(0), chat, 3), Answer::Done(Done::default()), "asked twice, done once");
    for person in &people {
        assert_eq!(routed(&world, person, chat), Some((3, 1, Seq(4))), "all of it, and the base stays");
    }
    assert_eq!(sent(&world.send(carol.by(0), chat, 2, Seq(4), "its number goes on")).seq, Seq(5));
    assert_eq!(sent(&world.send(bob.by(0), chat, 1, Seq(4), "the founder's too")).seq, Seq(6));
    let first = group_founding(origin(alice), &[alice.device(0), bob.device(0), carol.device(0)], 1, "one");
    assert_eq!(sent(&world.found_group(alice.by(0), first)).seq, Seq(1), "the founding that stands is repeated");
    assert_eq!(world.seqs(carol.device(0)), [2, 3, 4, 5, 6], "without a hole");
    let next = group_founding(origin(alice), &[alice.device(0)], 2, "two");
    assert_eq!(sent(&world.found_group(alice.by(0), next)).seq, Seq(7), "the number is free again");
    world.check_replay();
}

#[test]
fn whom_a_founding_left_out_may_found_the_next_one_and_whom_a_commit_removed_may_not() {
    let (mut world, people, chat) = group();
    let (alice, bob, carol) = (&people[0], &people[1], &people[2]);
    sent(&world.commit(alice.by(0), commit(chat, 2, Seq(1), &[], &[carol.device(0)])));
    let both = [bob.device(0), bob.device(1)];
    sent(&world.found_group(bob.by(0), group_founding(origin(alice), &both, 2, "two")));
    let by_carol = group_founding(origin(alice), &[carol.device(0)], 3, "three");
    assert_eq!(refused(&world.found_group(carol.by(0), by_carol).answer), NOT_MEMBER);
    sent(&world.commit(bob.by(0), commit(chat, 2, Seq(3), &[alice.device(0)], &[])));
    sent(&world.commit(alice.by(0), commit(chat, 1, Seq(4), &[], &[])));
    assert_eq!(refused(&route(&mut world, alice.by(0), chat, 3)), Refusal::Stale(Stale { base: Seq(5) }), "it stands");
    sent(&world.commit(bob.by(1), commit(chat, 1, Seq(5), &[], &[alice.device(0)])));
    let by_alice = group_founding(origin(alice), &[alice.device(0)], 3, "three");
    assert_eq!(refused(&world.found_group(alice.by(0), by_alice.clone()).answer), NOT_MEMBER, "it was in, and is out");
    assert_eq!(route(&mut world, alice.by(0), chat, 6), Answer::Done(Done::default()));
    sent(&world.found_group(alice.by(0), by_alice));
    let by_bob = group_founding(origin(alice), &[bob.device(0)], 4, "four");
    assert_eq!(sent(&world.found_group(bob.by(0), by_bob)).seq, Seq(8), "left out");
    world.check_replay();
}

#[test]
fn with_a_founding_it_is_undone_whom_it_left_out() {
    let (mut world, people, chat) = group();
    let (alice, bob, carol) = (&people[0], &people[1], &people[2]);
    let two = group_founding(origin(alice), &[bob.device(0), alice.device(0)], 2, "two");
    sent(&world.found_group(bob.by(0), two));
    sent(&world.found_group(alice.by(0), group_founding(origin(alice), &[alice.device(0)], 3, "three")));
    let four = |by: &Person, incarnation| group_founding(origin(alice), &[by.device(0)], incarnation, "four");
    assert_eq!(refused(&world.found_group(carol.by(0), four(carol, 4)).answer), NOT_MEMBER);
    assert_eq!(route(&mut world, bob.by(0), chat, 3), Answer::Done(Done::default()));
    assert_eq!(sent(&world.found_group(carol.by(0), four(carol, 3))).seq, Seq(4), "the second one left it out");
    assert_eq!(sent(&world.found_group(bob.by(0), four(bob, 4))).seq, Seq(5));
    world.check_replay();
}

#[test]
fn any_present_device_is_added_and_one_that_was_removed_is_not() {
    let (mut world, people, chat) = group();
    let (alice, bob) = (&people[0], &people[1]);
    let dave = Person::new("dave", 1);
    world.settle(&dave);
    sent(&world.commit(bob.by(0), commit(chat, 1, Seq(1), &[dave.device(0), alice.device(1)], &[])));
    assert_eq!(sent(&world.send(dave.by(0), chat, 1, Seq(2), "hi")).seq, Seq(3));
    let list = bob.list_of(3, &bob.list(2, &bob.first_list()), &bob.devices[..1]);
    world.put_list(bob, &list);
    let removed = world.commit(alice.by(0), commit(chat, 2, Seq(2), &[bob.device(1)], &[]));
    let changed = DevicesChanged { account: bob.account(), version: 3 };
    assert_eq!(refused(&removed.answer), Refusal::DevicesChanged(changed));
}

#[test]
fn a_request_to_leave_goes_to_all_others() {
    let (mut world, people, chat) = group();
    let leave = |chat, text: &str| Leave { chat, body: body(text) };
    let asked = world.apply(Command::Leave(people[1].by(0), leave(chat, "bye")));
    let Answer::Done(Done { pos: Some(pos), .. }) = asked.answer else { panic!("{asked:?}") };
    for person in [&people[0], &people[2]] {
        let last = world.catch_up(person.device(0), Pos(0), 9).pop().unwrap();
        assert_eq!((last.kind, last.pos, last.from), (EnvelopeKind::Leave, pos, people[1].device(0)));
    }
    assert_eq!(refused(&world.apply(Command::Leave(people[1].by(1), leave(chat, "bye"))).answer), NOT_MEMBER);
    assert_eq!(refused(&world.apply(Command::Leave(people[1].by(0), leave(chat, ""))).answer), INVALID);
    let long = Command::Leave(people[1].by(0), leave(chat, &"x".repeat(MAX_ASKING + 1)));
    assert_eq!(refused(&world.apply(long).answer), Refusal::TooLarge(TooLarge { limit: MAX_ASKING as u64 }));
    sent(&world.found(&people[0], &people[1], 1));
    let direct = Command::Leave(people[1].by(0), leave(chat_of(&people[0], &people[1]), "bye"));
    assert_eq!(refused(&world.apply(direct).answer), INVALID);
    let alone = [people[2].device(0)];
    sent(&world.found_group(people[2].by(0), group_founding(origin(&people[2]), &alone, 1, "alone")));
    let nobody = world.apply(Command::Leave(people[2].by(0), leave(id(&people[2]), "bye")));
    assert_eq!(nobody.answer, Answer::Done(Done::default()));
}

#[test]
fn a_device_asks_to_leave_or_to_be_added_again_only_so_often_in_a_chat() {
    let (mut world, people, chat) = group();
    let other = Origin { nonce: GroupNonce([6; 16]), ..origin(&people[0]) };
    let members = [people[0].device(0), people[1].device(0)];
    sent(&world.found_group(people[0].by(0), group_founding(other, &members, 1, "another")));
    let other = ChatId::group(&other.account, &other.nonce);
    let leave = |person: &Person, chat| Command::Leave(person.by(0), Leave { chat, body: body("bye") });
    let rejoin = |person: &Person, chat| Command::Rejoin(person.by(0), Rejoin { chat, body: body("again") });
    let wait = Refusal::RateLimited(RetryAfter { retry_after_ms: 3_600_000 });
    for (most, ask) in [
        (LEAVES_PER_HOUR, &leave as &dyn Fn(&Person, ChatId) -> Command),
        (REJOINS_PER_HOUR, &rejoin as &dyn Fn(&Person, ChatId) -> Command),
    ] {
        for _ in 0..most {
            assert!(matches!(world.apply(ask(&people[1], chat)).answer, Answer::Done(_)));
        }
        assert_eq!(refused(&world.apply(ask(&people[1], chat)).answer), wait);
        assert!(matches!(world.apply(ask(&people[1], other)).answer, Answer::Done(_)), "another chat");
        assert!(matches!(world.apply(ask(&people[2], chat)).answer, Answer::Done(_)), "another device");
    }
    world.now = Millis(world.now.0 + 3_600_000);
    assert!(matches!(world.apply(leave(&people[1], chat)).answer, Answer::Done(_)));
    assert!(matches!(world.apply(rejoin(&people[1], chat)).answer, Answer::Done(_)));
    world.check_replay();
}

fn join(world: &mut World, person: &Person, chat: ChatId, text: &str) -> Outcome {
    world.apply(Command::Join(person.by(0), Join { chat, body: body(text) }))
}

#[test]
fn a_request_to_join_goes_to_those_who_were_there_last_and_only_so_often() {
    let (mut world, people, chat) = crowd(JOIN_REQUEST_DEVICES + 4);
    let dave = Person::new("dave", 1);
    world.settle(&dave);
    let head = world.core.view().head().unwrap();
    people[4..].iter().for_each(|person| world.ack(person.device(0), head));
    let asked = join(&mut world, &dave, chat, "let me in");
    let mut to = devices(&asked.deliveries[0]);
    to.sort();
    let mut wanted: Vec<DeviceId> = people[4..].iter().map(|person| person.device(0)).collect();
    wanted.sort();
    assert_eq!(to, wanted);
    assert_eq!(asked.deliveries[0].envelope.kind, EnvelopeKind::Join);
    let not_found = Refusal::NotFound(Plain {});
    assert_eq!(refused(&join(&mut world, &dave, ChatId([9; 32]), "x").answer), not_found);
    sent(&world.found(&people[0], &people[1], 1));
    assert_eq!(refused(&join(&mut world, &dave, chat_of(&people[0], &people[1]), "x").answer), not_found);
    assert_eq!(refused(&join(&mut world, &dave, chat, "").answer), INVALID);
    for _ in 1..JOIN_REQUESTS_PER_HOUR {
        assert!(matches!(join(&mut world, &dave, chat, "again").answer, Answer::Done(_)));
    }
    let wait = Refusal::RateLimited(RetryAfter { retry_after_ms: 3_600_000 });
    assert_eq!(refused(&join(&mut world, &dave, chat, "again").answer), wait);
    assert!(matches!(join(&mut world, &people[0], chat, "another account").answer, Answer::Done(_)));
    world.now = Millis(world.now.0 + 3_600_000);
    assert!(matches!(join(&mut world, &dave, chat, "later").answer, Answer::Done(_)));
    world.check_replay();
}

fn receipt(world: &mut World, person: &Person, chat: ChatId) -> Outcome {
    world.apply(Command::Receipt(person.by(0), Receipt { chat, base: Seq(1), body: body("seen") }))
}

fn delivered_receipts(world: &World, person: &Person) -> usize {
    let all = world.catch_up(person.device(0), Pos(0), 7);
    all.iter().filter(|envelope| envelope.kind == EnvelopeKind::Receipt).count()
}

#[test]
fn receipts_of_many_devices_are_stored_and_asked_for() {
    let (mut world, people, chat) = crowd(RECEIPT_PUSH_DEVICES + 1);
    let (founder, last) = (&people[0], people.last().unwrap());
    for person in &people[1..] {
        let outcome = receipt(&mut world, person, chat);
        assert!(matches!(outcome.answer, Answer::Done(done) if done.pos.is_some()));
        assert!(outcome.deliveries.is_empty());
    }
    assert_eq!(delivered_receipts(&world, founder), 0);
    let view = world.core.view();
    let asked = view.receipts(&founder.device(0), &Receipts { chat, after: Pos(0) }).unwrap().unwrap();
    assert_eq!((asked.receipts.len(), asked.more), (RECEIPT_PUSH_DEVICES, false));
    assert!(asked.receipts.windows(2).all(|pair| pair[0].pos < pair[1].pos));
    let after = asked.receipts[RECEIPT_PUSH_DEVICES - 2].pos;
    let rest = view.receipts(&founder.device(0), &Receipts { chat, after }).unwrap().unwrap();
    assert_eq!(rest.receipts, asked.receipts[RECEIPT_PUSH_DEVICES - 1..]);
    let own = view.receipts(&last.device(0), &Receipts { chat, after: Pos(0) }).unwrap().unwrap();
    assert_eq!(own.receipts.len(), RECEIPT_PUSH_DEVICES - 1, "not one's own");
    let stranger = Receipts { chat, after: Pos(0) };
    assert_eq!(view.receipts(&DeviceId([1; 16]), &stranger).unwrap(), None);

    sent(&world.commit(founder.by(0), commit(chat, 2, Seq(1), &[], &[last.device(0)])));
    assert_eq!(receipt(&mut world, &people[1], chat).deliveries.len(), 1, "few enough again");
    assert!(delivered_receipts(&world, founder) >= 1);
    let newest = world.catch_up(last.device(0), Pos(0), 7).iter().any(|envelope| envelope.from == people[1].device(0));
    assert!(!newest, "not to who was removed");
    sent(&world.commit(founder.by(0), commit(chat, 3, Seq(2), &[last.device(0)], &[])));
    assert!(receipt(&mut world, &people[1], chat).deliveries.is_empty(), "too many again");
}

#[test]
fn receipts_come_in_pages() {
    use aside_protocol::limits::RECEIPTS_PAGE;
    let (mut world, people, chat) = crowd(RECEIPTS_PAGE + 3);
    people.iter().for_each(|person| drop(receipt(&mut world, person, chat)));
    let view = world.core.view();
    let ask = |after| view.receipts(&people[0].device(0), &Receipts { chat, after }).unwrap().unwrap();
    let first = ask(Pos(0));
    assert_eq!((first.receipts.len(), first.more), (RECEIPTS_PAGE, true));
    let second = ask(first.receipts.last().unwrap().pos);
    assert_eq!((second.receipts.len(), second.more), (2, false));
}

#[test]
fn the_chats_of_an_account_are_listed_in_pages() {
    use aside_protocol::limits::CHATS_PAGE;
    let (alice, bob) = (Person::new("alice", 2), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    for number in 0..CHATS_PAGE as u128 + 1 {
        let origin = Origin { account: alice.account(), nonce: GroupNonce(number.to_be_bytes()) };
        sent(&world.found_group(alice.by(0), group_founding(origin, &[alice.device(0)], 1, "x")));
    }
    let view = world.core.view();
    let first = view.chats(&alice.device(1), &Chats::default()).unwrap();
    assert_eq!((first.chats.len(), first.more), (CHATS_PAGE, true));
    assert!(first.chats.windows(2).all(|pair| pair[0].chat < pair[1].chat));
    assert!(first.chats.iter().all(|chat| !chat.routed && chat.last == Seq(1)));
    let rest = view.chats(&alice.device(0), &Chats { after: Some(first.chats[CHATS_PAGE - 1].chat) }).unwrap();
    assert_eq!((rest.chats.len(), rest.more, rest.chats[0].routed), (1, false, true));
    assert!(view.chats(&bob.device(0), &Chats::default()).unwrap().chats.is_empty());
}

#[test]
fn a_device_that_is_not_routed_asks_to_be_added_if_another_of_its_account_is() {
    let (mut world, people, chat) = group();
    let ask = |world: &mut World, person: &Person, device| {
        world.apply(Command::Rejoin(person.by(device), Rejoin { chat, body: body("again") }))
    };
    let asked = ask(&mut world, &people[1], 1);
    assert_eq!(devices(&asked.deliveries[0]).len(), 3, "every routed device, its account's own included");
    let stranger = Person::new("dave", 1);
    world.settle(&stranger);
    assert_eq!(refused(&ask(&mut world, &stranger, 0).answer), NOT_MEMBER);
}

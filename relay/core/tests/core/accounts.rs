//! Registration, device lists, key packages.

use crate::world::{INVITE, Person, START, World, body, refused};
use aside_protocol::limits::KEY_PACKAGE_FETCHES_PER_HOUR;
use aside_protocol::refusal::{DevicesChanged, Plain, RetryAfter};
use aside_protocol::request::{Answer, FetchKeyPackages, KeyPackageUpload, Lookup, PutKeyPackages, Suite, Who};
use aside_protocol::{Hash, Millis, Refusal, RequestId};
use aside_relay_core::Command;
use aside_relay_core::command::Registration;

#[test]
fn a_repeated_registration_succeeds_even_when_the_invite_is_used_up_and_expired() {
    let (mut world, alice, bob) = (World::new(), Person::new("alice", 1), Person::new("bob", 1));
    let (once, soon) = (Hash([7; 32]), Millis(START.0 + 10));
    world.apply(Command::CreateInvite { secret: once, uses: 1, valid: 10 });
    let register = |person: &Person| Command::Register(Registration { invite: once, ..person.registration() });
    let first = world.apply(register(&alice)).answer;
    assert!(matches!(first, Answer::Done(_)));
    assert_eq!(refused(&world.apply(register(&bob)).answer), Refusal::InviteUsed(Plain {}));
    world.now = soon;
    assert_eq!(refused(&world.apply(register(&bob)).answer), Refusal::InviteExpired(Plain {}));
    assert_eq!(world.apply(register(&alice)).answer, first);
}

#[test]
fn names_accounts_devices_and_keys_belong_to_one() {
    let (mut world, alice) = (World::new(), Person::new("alice", 1));
    world.register(&alice);
    let namesake = Person { name: alice.name.clone(), ..Person::new("bob", 1) };
    assert_eq!(refused(&world.register(&namesake)), Refusal::NameTaken(Plain {}));
    let renamed = Person { name: Person::new("bob", 1).name, ..Person::new("alice", 1) };
    assert_eq!(refused(&world.register(&renamed)), Refusal::AlreadyRegistered(Plain {}));
    let same_device = Person { devices: Person::new("alice", 1).devices, ..Person::new("bob", 1) };
    assert_eq!(refused(&world.register(&same_device)), Refusal::AlreadyRegistered(Plain {}));
    let two = Person::new("carol", 2);
    let list = two.list(2, &two.first_list());
    let not_first = Registration { invite: INVITE, list, ..two.registration() };
    assert_eq!(refused(&world.apply(Command::Register(not_first)).answer), Refusal::Invalid(Plain {}));
}

#[test]
fn device_lists_are_a_chain() {
    let alice = Person::new("alice", 3);
    let mut world = World::with(&[&alice]);
    let second = alice.list(2, &alice.first_list());
    assert!(matches!(world.put_list(&alice, &second), Answer::Done(_)), "the standing version again");
    let rival = alice.list_of(2, &alice.first_list(), &alice.devices[..2]);
    let changed = DevicesChanged { account: alice.account(), version: 2 };
    assert_eq!(refused(&world.put_list(&alice, &rival)), Refusal::DevicesChanged(changed));
    assert_eq!(refused(&world.put_list(&alice, &body("junk"))), Refusal::Invalid(Plain {}));

    let third = alice.list_of(3, &second, &alice.devices[..2]);
    let outcome = world
        .apply(Command::PutDeviceList(alice.by(1), aside_protocol::request::PutDeviceList { list: third.clone() }));
    assert_eq!(outcome.revoked, [alice.device(2)]);
    assert!(world.core.view().device(&alice.device(2)).unwrap().unwrap().revoked);
    let from_two = Lookup { who: Who::Name(alice.name.clone()), from_version: 2 };
    assert_eq!(world.core.view().account(&from_two).unwrap().unwrap().lists, [second, third.clone()]);
    let by_revoked = Command::PutKeyPackages(alice.by(2), PutKeyPackages { packages: vec![] });
    assert_eq!(refused(&world.apply(by_revoked).answer), Refusal::Revoked(Plain {}));
    let back = alice.list(4, &third);
    assert!(matches!(world.put_list(&alice, &back), Answer::Done(_)));
    assert!(!world.core.view().device(&alice.device(2)).unwrap().unwrap().revoked);
}

fn upload(world: &mut World, person: &Person, device: usize, texts: &[String], last_resort: bool) -> Answer {
    let package = |text: &String| KeyPackageUpload { suite: Suite::XWing, last_resort, body: body(text) };
    let packages = texts.iter().map(package).collect();
    world.apply(Command::PutKeyPackages(person.by(device), PutKeyPackages { packages })).answer
}

fn fetch(world: &mut World, by: &Person, of: &Person, id: u64) -> Answer {
    let id = RequestId(u128::from(id).to_be_bytes());
    let request = FetchKeyPackages { id, account: of.account(), suite: Suite::XWing };
    world.apply(Command::FetchKeyPackages(by.by(0), request)).answer
}

fn texts(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::KeyPackages(packages) => {
            packages.iter().map(|package| String::from_utf8(package.body.to_vec()).unwrap()).collect()
        }
        other => panic!("no packages: {other:?}"),
    }
}

#[test]
fn key_packages_are_given_once_and_the_last_resort_for_ever() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 2));
    let mut world = World::with(&[&alice, &bob]);
    upload(&mut world, &bob, 0, &["a".into(), "b".into()], false);
    assert_eq!(refused(&fetch(&mut world, &alice, &bob, 1)), Refusal::NoKeyPackage(Plain {}));
    upload(&mut world, &bob, 1, &["z".into()], true);
    let first = fetch(&mut world, &alice, &bob, 1);
    assert_eq!(texts(&first), ["a", "z"]);
    assert_eq!(fetch(&mut world, &alice, &bob, 1), first, "the same request, the same packages");
    let Answer::KeyPackageCounts(counts) = upload(&mut world, &bob, 0, &["a".into(), "b".into()], false) else {
        panic!("not stored");
    };
    assert_eq!(counts[0].one_time, 1, "one given out is not taken again, one stored counts once");
    assert_eq!(texts(&fetch(&mut world, &alice, &bob, 2)), ["b", "z"]);
    assert_eq!(refused(&fetch(&mut world, &alice, &bob, 3)), Refusal::NoKeyPackage(Plain {}));
}

#[test]
fn past_the_stock_the_newest_stay() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    for upload_number in 0..5 {
        let names: Vec<String> = (0..25).map(|i| format!("p{:03}", upload_number * 25 + i)).collect();
        upload(&mut world, &bob, 0, &names, false);
    }
    let counts = world.core.view().device(&bob.device(0)).unwrap().unwrap().key_packages;
    assert_eq!(counts[0].one_time, 100);
    assert_eq!(texts(&fetch(&mut world, &alice, &bob, 1)), ["p025"]);
}

#[test]
fn fetches_are_limited_by_the_hour() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    upload(&mut world, &bob, 0, &["last".into()], true);
    for id in 0..KEY_PACKAGE_FETCHES_PER_HOUR {
        texts(&fetch(&mut world, &alice, &bob, id));
    }
    world.now = Millis(START.0 + 1_000);
    let wait = RetryAfter { retry_after_ms: 3_599_000 };
    assert_eq!(refused(&fetch(&mut world, &alice, &bob, 10_000)), Refusal::RateLimited(wait));
    texts(&fetch(&mut world, &alice, &bob, 5));
    world.now = Millis(START.0 + 3_600_000);
    texts(&fetch(&mut world, &alice, &bob, 10_000));
}

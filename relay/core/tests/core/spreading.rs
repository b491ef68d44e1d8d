//! A relay's state alone that becomes partitions: every chat is in exactly one, and nothing that it needs is lost.

use crate::partitions::origin_in;
use crate::spread::{Spread, by_chat};
use crate::world::{INVITE, Person, World, body, chat_of, commit, group_founding, refused, sent};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, BlobRef, FetchKeyPackages, KeyPackageUpload, PutKeyPackages, Range, Suite};
use aside_protocol::request::{Lookup, Receipt, Rejoin, Who};
use aside_protocol::{ChatId, Hash, PartitionId, Pos, Refusal, RequestId, Seq};
use aside_relay_core::record::{Entry, Record, VERSION};
use aside_relay_core::{BlobLimits, Command, CoreError, Layout, Location, Reader};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;

const PARTITIONS: u16 = 4;

/// Three people of two devices in their direct chats and four groups, one for each partition; some of all has been read.
fn lively(location: &Location) -> (World, Vec<Person>, Vec<ChatId>) {
    let people: Vec<Person> = ["alice", "bob", "carol"].iter().map(|name| Person::new(name, 2)).collect();
    let mut world = World::on(location);
    people.iter().for_each(|person| world.settle(person));
    let mut chats = Vec::new();
    for (one, other) in [(0, 0), (0, 1), (0, 2), (1, 2)] {
        sent(&world.found(&people[one], &people[other], 1));
        chats.push(chat_of(&people[one], &people[other]));
    }
    let layout = Layout::new(PARTITIONS).unwrap();
    let members: Vec<_> = people.iter().flat_map(|person| [person.device(0), person.device(1)]).collect();
    for partition in layout.all() {
        let founding = group_founding(origin_in(layout, partition, &people[0]), &members, 1, "group");
        chats.push(founding.chat);
        sent(&world.found_group(people[0].by(0), founding));
        let chat = chats[chats.len() - 1];
        sent(&world.send(people[1].by(1), chat, 1, Seq(1), "hello"));
        world.apply(Command::Receipt(people[2].by(0), Receipt { chat, base: Seq(1), body: body("read") }));
        world.apply(Command::Rejoin(people[2].by(1), Rejoin { chat, body: body("again") }));
    }
    talk_and_read(&mut world, &people, &chats);
    change_members(&mut world, &people, &chats);
    keep_things_of_the_directory(&mut world, &people);
    (world, people, chats)
}

fn talk_and_read(world: &mut World, people: &[Person], chats: &[ChatId]) {
    for (index, chat) in chats[4..].iter().enumerate() {
        for n in 2..=2 + index as u64 {
            sent(&world.send(people[1].by(1), *chat, n, Seq(1), "more"));
        }
    }
    let head = world.core.view().head().unwrap();
    world.ack(people[0].device(0), head);
    world.ack(people[1].device(0), Pos(head.0 / 2));
    world.ack(people[2].device(0), Pos(head.0 / 3));
    world.apply(Command::Retain { limit: 5 });
}

/// In two of the groups: one is founded again without some, from the other one is removed; and a device leaves its account.
fn change_members(world: &mut World, people: &[Person], chats: &[ChatId]) {
    let origin = origin_in(Layout::new(PARTITIONS).unwrap(), PartitionId(1), &people[0]);
    let again = group_founding(origin, &[people[1].device(0), people[0].device(0)], 2, "without carol");
    sent(&world.found_group(people[1].by(0), again));
    sent(&world.commit(people[0].by(0), commit(chats[6], 2, Seq(1), &[], &[people[1].device(0)])));
    let third = people[2].list_of(3, &people[2].list(2, &people[2].first_list()), &people[2].devices[..1]);
    assert!(matches!(world.put_list(&people[2], &third), Answer::Done(_)));
}

fn keep_things_of_the_directory(world: &mut World, people: &[Person]) {
    let suite = Suite::Classical;
    let package = KeyPackageUpload { suite, last_resort: true, body: body("package") };
    for device in [0, 1] {
        let packages = vec![package.clone()];
        world.apply(Command::PutKeyPackages(people[1].by(device), PutKeyPackages { packages }));
    }
    let fetch = FetchKeyPackages { id: RequestId([1; 16]), account: people[1].account(), suite };
    assert!(matches!(
        world.apply(Command::FetchKeyPackages(people[0].by(0), fetch)).answer,
        Answer::KeyPackages(given) if given.len() == 2
    ));
    let (whole, partly) = (BlobRef { id: Hash([1; 32]), size: 9 }, BlobRef { id: Hash([2; 32]), size: 9 });
    for blob in [whole, partly] {
        let limits = BlobLimits { quota: 100_000, most: 100 };
        world.apply(Command::ReserveBlob(people[0].by(0), blob, limits));
    }
    world.apply(Command::CompleteBlob(whole));
}

#[test]
fn each_chat_is_in_one_partition_as_it_was() {
    let (world, people, chats) = lively(&Location::Memory);
    let mut spread = Spread::of(&world, PARTITIONS);
    let (head, log) = (world.core.view().head().unwrap(), world.core.view().log().unwrap());
    for part in &spread.parts {
        let view = part.core.view();
        assert_eq!((view.head().unwrap(), view.log().unwrap()), (head, log));
        let (numbered, here) = (world.core.view().changes().unwrap(), view.partition() == Layout::DIRECTORY);
        assert_eq!((view.learned().unwrap(), view.changes().unwrap()), (numbered, if here { numbered } else { 0 }));
    }
    for device in people.iter().flat_map(|person| [person.device(0), person.device(1)]) {
        let acked = world.core.view().device(&device).unwrap().unwrap().acked;
        let cursor = |partition: PartitionId| {
            let part = &spread.parts[usize::from(partition.0)];
            part.core.view().device(&device).unwrap().unwrap().acked
        };
        assert!(spread.layout.all().all(|partition| cursor(partition) == acked));
        let range = |world: &World, chat| {
            let range = Range { chat, from: Seq(0), to: Seq(u64::MAX) };
            world.core.view().range(&device, &range).unwrap().map(|all| (all.first, by_chat(all.envelopes)))
        };
        for chat in &chats {
            let there = spread.parts.iter().filter_map(|part| range(part, *chat)).collect::<Vec<_>>();
            assert_eq!(there, range(&world, *chat).into_iter().collect::<Vec<_>>(), "once, with its numbers");
        }
        assert_eq!(spread.catch_up(device, cursor), by_chat(world.catch_up(device, acked, 50)));
    }
    let last = spread.part(PartitionId(3)).send(people[1].by(1), chats[7], 6, Seq(1), "goes on");
    assert_eq!((sent(&last).seq, last.deliveries[0].envelope.pos), (Seq(7), head.next()));
}

#[test]
fn positions_stay() {
    let (world, people, _) = lively(&Location::Memory);
    let spread = Spread::of(&world, PARTITIONS);
    let places = |world: &World| -> Vec<(Pos, ChatId)> {
        let got = world.catch_up(people[2].device(1), Pos(0), 100);
        got.iter().map(|envelope| (envelope.pos, envelope.chat)).collect()
    };
    let mut all: Vec<_> = spread.parts.iter().flat_map(places).collect();
    all.sort_unstable_by_key(|(pos, _)| *pos);
    assert_eq!(all, places(&world));
}

#[test]
fn what_only_the_directory_has_stays_there_alone() {
    let (world, people, _) = lively(&Location::Memory);
    let mut spread = Spread::of(&world, PARTITIONS);
    let whole = Hash([1; 32]);
    for part in &spread.parts {
        let (here, view) = (part.core.partition() == Layout::DIRECTORY, part.core.view());
        assert_eq!(view.blob(&whole).unwrap().is_some(), here);
        assert_eq!(view.blob_is_reserved(&Hash([2; 32])).unwrap(), here);
        assert_eq!(view.device(&people[1].device(0)).unwrap().unwrap().key_packages.is_empty(), !here);
        let by_id = Lookup { who: Who::Account(people[2].account()), from_version: 1 };
        assert_eq!(view.account(&by_id).unwrap().unwrap().lists.len(), 3, "accounts are known everywhere");
        let by_name = Lookup { who: Who::Name(people[2].name.clone()), from_version: 1 };
        assert_eq!(view.account(&by_name).unwrap().is_some(), here, "names are not");
    }
    let (dave, directory) = (Person::new("dave", 1), spread.directory());
    let change = directory.core.view().changes().unwrap();
    assert_eq!(directory.core.view().changes_after(0, usize::MAX).unwrap().len() as u64, change);
    assert!(matches!(directory.register(&dave), Answer::Done(_)), "the invite still holds");
    spread.learn(PartitionId(2));
    let view = spread.part(PartitionId(2)).core.view();
    assert_eq!(view.learned().unwrap(), change + 1);
    assert!(view.device(&dave.device(0)).unwrap().is_some());
    let invite = Command::CreateInvite { secret: INVITE, uses: 1, valid: 1 };
    assert_eq!(refused(&spread.part(PartitionId(2)).apply(invite).answer), Refusal::Invalid(Plain {}));
}

/// How many rows each table has, and in those that have a chat: how many of chats that are not there.
fn rows(path: &Path) -> BTreeMap<String, (i64, i64)> {
    let db = Connection::open(path).unwrap();
    let mut tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let count = |query: String| -> i64 { db.query_row(&query, [], |row| row.get(0)).unwrap() };
    let lost = |table: &str| {
        let chat = format!("SELECT count(*) FROM pragma_table_info('{table}') WHERE name = 'chat'");
        let place = format!("SELECT count(*) FROM {table} WHERE chat <> 0 AND chat NOT IN (SELECT id FROM chats)");
        match table {
            "chats" => 0,
            "addressees" => {
                count("SELECT count(*) FROM addressees WHERE pos NOT IN (SELECT pos FROM addressed)".into())
            }
            _ if count(chat) == 0 => 0,
            _ => count(place),
        }
    };
    tables.iter().map(|table| (table.clone(), (count(format!("SELECT count(*) FROM {table}")), lost(table)))).collect()
}

/// Whatever tables there are: a new one that belongs to chats must be spread, too.
#[test]
fn every_row_of_a_chat_goes_where_the_chat_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (world, ..) = lively(&Location::File(path("alone")));
    let layout = Layout::new(PARTITIONS).unwrap();
    let reader = Reader::open(&path("alone")).unwrap();
    let parts: Vec<_> = layout
        .all()
        .map(|partition| {
            let file = path(&partition.0.to_string());
            reader.back_up(&file).unwrap();
            let mut core = aside_relay_core::Core::open(&Location::File(file.clone())).unwrap();
            core.take_part(layout, partition).unwrap();
            core.checkpoint().unwrap();
            assert_eq!(Reader::open(&file).unwrap().partition(), partition);
            rows(&file)
        })
        .collect();
    world.core.checkpoint().unwrap();
    let copied = ["relay", "accounts", "device_lists", "devices", "origins"];
    for (table, (whole, _)) in rows(&path("alone")) {
        let parts: Vec<(i64, i64)> = parts.iter().map(|part| part[&table]).collect();
        assert!(parts.iter().all(|(_, lost)| *lost == 0), "{table}: {parts:?}");
        let there: Vec<i64> = parts.iter().map(|(rows, _)| *rows).collect();
        match copied.contains(&table.as_str()) {
            true => assert_eq!(there, [whole; 4], "{table}"),
            false => assert_eq!(there.iter().sum::<i64>(), whole, "{table}: {there:?}"),
        }
    }
    let empty = rows(&path("alone")).into_iter().filter(|(_, (rows, _))| *rows == 0);
    assert_eq!(empty.map(|(table, _)| table).collect::<Vec<_>>(), ["origins"], "the test has something of each");
}

#[test]
fn a_partition_is_one_when_it_is_opened_again_and_holds_no_free_pages() {
    let folder = tempfile::tempdir().unwrap();
    let file = Location::File(folder.path().join("relay.db"));
    let (mut world, people, chats) = lively(&file);
    for n in 6..60 {
        sent(&world.send(people[1].by(1), chats[7], n, Seq(1), &"x".repeat(10_000)));
    }
    let before = world.core.view().bytes().unwrap();
    world.core.take_part(Layout::new(PARTITIONS).unwrap(), PartitionId(2)).unwrap();
    world.core.checkpoint().unwrap();
    let hash = world.core.state_hash().unwrap();
    drop(world);
    let core = aside_relay_core::Core::open(&file).unwrap();
    assert_eq!((core.partition(), core.layout().partitions()), (PartitionId(2), PARTITIONS));
    assert_eq!((core.view().partition(), core.state_hash().unwrap()), (PartitionId(2), hash));
    let left = std::fs::metadata(folder.path().join("relay.db")).unwrap().len();
    assert!(before - left > 500_000, "{before} bytes, then {left}");
    assert_eq!(left, core.view().bytes().unwrap(), "no page is free");
}

#[test]
fn a_state_that_follows_a_log_is_not_spread() {
    let (mut world, ..) = lively(&Location::Memory);
    let entries = vec![Entry { origin: 1, id: 1, command: Command::Retain { limit: 1 } }];
    let record = Record { version: VERSION, owner: "one".into(), reign: 1, time: world.now, check: false, entries };
    world.core.apply_at(1, &record).unwrap();
    let two = Layout::new(2).unwrap();
    assert!(matches!(world.core.take_part(two, PartitionId(1)), Err(CoreError::Parted)));
    world.core.leave_log().unwrap();
    world.core.take_part(two, PartitionId(1)).unwrap();
}

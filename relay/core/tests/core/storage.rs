//! Files: newer and foreign databases, full disks, the command record.

use crate::world::{Person, World, chat_of, sent};
use aside_protocol::{LogId, Seq};
use aside_relay_core::command_log::{CommandLog, read, replay};
use aside_relay_core::{Command, Core, CoreError, Location, Stamped};
use rusqlite::Connection;
use std::io::Write;

#[test]
fn a_newer_database_and_a_foreign_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    drop(Core::open(&Location::File(path.clone())).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newer = Core::open(&Location::File(path)).err().unwrap();
    assert!(matches!(newer, CoreError::Newer { found: 99, .. }), "{newer}");

    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(Core::open(&Location::File(foreign)), Err(CoreError::NotOurs)));
    let text = folder.path().join("text.db");
    std::fs::write(&text, "no database at all, but long enough to be looked at".repeat(50)).unwrap();
    assert!(matches!(Core::open(&Location::File(text)), Err(CoreError::NotOurs)));
}

#[test]
fn the_first_log_id_stays() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::File(folder.path().join("relay.db"));
    let mut world = World::on(&location);
    world.apply(Command::Init { log: LogId([9; 16]) });
    drop(world);
    assert_eq!(Core::open(&location).unwrap().view().log().unwrap(), Some(LogId([3; 16])));
}

#[test]
fn a_full_disk_undoes_the_whole_batch_and_the_core_goes_on_when_there_is_room() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    sent(&world.found(&alice, &bob, 1));
    let chat = chat_of(&alice, &bob);
    let before = world.core.state_hash().unwrap();
    world.core.limit_pages(Some(1)).unwrap();
    let command = |n: u64| {
        let body = crate::world::body(&"x".repeat(60_000));
        let request = aside_protocol::request::Send { chat, n: aside_protocol::N(n), base: Seq(1), body };
        Command::Send(alice.by(0), aside_protocol::Hash::of(&request.body), request)
    };
    let batch: Vec<Stamped> = (2..40).map(|n| Stamped { time: world.now, command: command(n) }).collect();
    let failed = world.core.apply(&batch, true).err().unwrap();
    assert!(failed.is_full(), "{failed}");
    assert_eq!(world.core.state_hash().unwrap(), before);
    world.core.limit_pages(None).unwrap();
    let outcomes = world.core.apply(&batch, true).unwrap();
    assert_eq!(sent(outcomes.last().unwrap()).seq, Seq(39));
}

#[test]
fn a_record_goes_on_after_a_torn_end_and_replays_to_the_same_state() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    sent(&world.found(&alice, &bob, 1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    let (first, rest) = world.applied.split_at(3);
    CommandLog::open(&path).unwrap().append(first).unwrap();
    std::fs::File::options().append(true).open(&path).unwrap().write_all(&[0, 0, 1, 0, 7, 7]).unwrap();
    assert_eq!(read(&path).unwrap(), first);
    CommandLog::open(&path).unwrap().append(rest).unwrap();
    let commands = read(&path).unwrap();
    assert_eq!(commands, world.applied);
    for batch in [1, 2, 1_000] {
        assert_eq!(replay(&commands, batch).unwrap(), world.core.state_hash().unwrap());
    }
}

//! Commits and foundings away from the directory, which point to blobs that only the directory has.

use crate::partitions::origin_in;
use crate::spread::Spread;
use crate::world::{Person, World, body, commit, group_founding, refused, sent};
use aside_protocol::limits::{BLOB_RETENTION_MS, RETENTION_MS};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, BlobRef, Commit, Found};
use aside_protocol::{Hash, Millis, PartitionId, Pos, Refusal, Seq};
use aside_relay_core::Command;

const AT: PartitionId = PartitionId(1);
const NOT_FOUND: Refusal = Refusal::NotFound(Plain {});
const INVALID: Refusal = Refusal::Invalid(Plain {});

fn blob(number: u8) -> BlobRef {
    BlobRef { id: Hash([number; 32]), size: 40_000 }
}

/// A group in partition 1, and the next commit of its founder: by pointer, as its welcome is.
fn group() -> (Spread, Person, Person, Found, Commit) {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut spread = Spread::of(&World::with(&[&alice, &bob]), 2);
    let founding = group_founding(origin_in(spread.layout, AT, &alice), &[alice.device(0)], 1, "group");
    sent(&spread.apply(found(&alice, &founding)));
    let mut adding = commit(founding.chat, 2, Seq(1), &[bob.device(0)], &[]);
    (adding.body, adding.blob) = (body(""), Some(blob(1)));
    let welcome = adding.welcome.as_mut().unwrap();
    (welcome.body, welcome.blob) = (body(""), Some(blob(2)));
    (spread, alice, bob, founding, adding)
}

fn found(founder: &Person, founding: &Found) -> Command {
    Command::Found(founder.by(0), Hash::of(&founding.body), founding.clone())
}

fn committed(person: &Person, commit: &Commit) -> Command {
    Command::Commit(person.by(0), commit.blob.unwrap().id, commit.clone())
}

fn complete(spread: &mut Spread, blob: BlobRef) {
    assert!(matches!(spread.apply(Command::CompleteBlob(blob)).answer, Answer::Done(_)));
}

fn later(spread: &mut Spread, ms: u64) {
    for part in &mut spread.parts {
        part.now = Millis(part.now.0 + ms);
        while part.apply(Command::Retain { limit: 50 }).more {}
    }
}

#[test]
fn what_a_command_points_to_is_told() {
    let (mut spread, alice, bob, mut founding, adding) = group();
    assert_eq!(committed(&alice, &adding).pointers(), [blob(1), blob(2)]);
    let plain = commit(adding.chat, 3, Seq(1), &[bob.device(0)], &[]);
    assert_eq!(Command::Commit(alice.by(0), Hash::of(&plain.body), plain).pointers(), []);
    assert_eq!(found(&alice, &founding).pointers(), []);
    founding.welcome = adding.welcome;
    assert_eq!(found(&alice, &founding).pointers(), [blob(2)]);
    let outer = Command::Pointing { blobs: vec![blob(1)], since: 0, command: Box::new(found(&alice, &founding)) };
    assert_eq!((outer.pointers(), outer.weight()), (vec![], found(&alice, &founding).weight()));
    assert_eq!(spread.layout.of(&outer), AT);
    assert_eq!(refused(&spread.directory().apply(outer).answer), INVALID, "it belongs to the chat's partition");
}

#[test]
fn a_commit_points_only_to_what_the_directory_has_whole() {
    let (mut spread, alice, bob, _, adding) = group();
    let commit = committed(&alice, &adding);
    assert_eq!(refused(&spread.apply(commit.clone()).answer), NOT_FOUND);
    complete(&mut spread, blob(1));
    assert_eq!(refused(&spread.apply(commit.clone()).answer), NOT_FOUND, "nor the welcome's");
    complete(&mut spread, BlobRef { size: 39_999, ..blob(2) });
    assert_eq!(refused(&spread.directory().apply(Command::PointTo(commit.pointers())).answer), NOT_FOUND);
    assert_eq!(refused(&spread.apply(commit.clone()).answer), NOT_FOUND, "of that size");
    complete(&mut spread, blob(2));
    let some = Command::Pointing { blobs: vec![blob(1)], since: 0, command: Box::new(commit.clone()) };
    assert_eq!(refused(&spread.part(AT).apply(some).answer), NOT_FOUND, "those that are named");
    assert_eq!(refused(&spread.part(AT).apply(commit.clone()).answer), NOT_FOUND);
    assert_eq!(sent(&spread.apply(commit)).seq, Seq(2));
    let got = spread.part(AT).catch_up(bob.device(0), Pos(0), 10);
    assert_eq!((got[0].blob, &got[0].body), (Some(blob(2)), &None));
}

#[test]
fn a_founding_points_as_a_commit_does() {
    let (mut spread, alice, bob, _, adding) = group();
    let mut again = group_founding(origin_in(spread.layout, AT, &alice), &[alice.device(0), bob.device(0)], 2, "again");
    again.welcome = adding.welcome;
    assert_eq!(refused(&spread.apply(found(&alice, &again)).answer), NOT_FOUND);
    complete(&mut spread, blob(2));
    assert_eq!(sent(&spread.apply(found(&alice, &again))).seq, Seq(2));
}

#[test]
fn pointing_keeps_a_blob_as_long_as_what_points_to_it_and_a_repeated_commit_outlives_it() {
    let (mut spread, alice, bob, _, adding) = group();
    let commit = committed(&alice, &adding);
    complete(&mut spread, blob(1));
    complete(&mut spread, blob(2));
    later(&mut spread, BLOB_RETENTION_MS);
    let first = sent(&spread.apply(commit.clone()));
    later(&mut spread, RETENTION_MS);
    assert_eq!(spread.directory().core.view().blob(&blob(2).id).unwrap(), Some(40_000));
    assert_eq!(spread.part(AT).catch_up(bob.device(0), Pos(0), 10).len(), 1, "the welcome that points to it");
    later(&mut spread, BLOB_RETENTION_MS - RETENTION_MS + 1);
    assert_eq!(spread.directory().core.view().blob(&blob(2).id).unwrap(), None);
    assert_eq!(spread.part(AT).core.view().held().unwrap(), (0, 0));
    assert_eq!(refused(&spread.directory().apply(Command::PointTo(commit.pointers())).answer), NOT_FOUND);
    assert_eq!(sent(&spread.apply(commit.clone())), first);
    let other = Command::Commit(alice.by(0), Hash([7; 32]), adding);
    assert_eq!(refused(&spread.apply(other).answer).name(), "Conflict", "as it is refused anywhere");
}

#[test]
fn nothing_but_commits_and_foundings_points() {
    let (mut spread, alice, _, founding, adding) = group();
    let send =
        aside_protocol::request::Send { chat: founding.chat, n: aside_protocol::N(2), base: Seq(1), body: body("hi") };
    let send = Command::Send(alice.by(0), Hash::of(&send.body), send);
    let twice =
        Command::Pointing { blobs: vec![blob(1), blob(2)], since: 0, command: Box::new(committed(&alice, &adding)) };
    let part = spread.part(AT);
    for inner in [send.clone(), twice.clone()] {
        assert_eq!(
            refused(&part.apply(Command::Pointing { blobs: vec![], since: 0, command: Box::new(inner) }).answer),
            INVALID
        );
    }
    sent(&part.apply(twice));
    assert_eq!(refused(&part.apply(send).answer).name(), "Conflict", "the commit has that number");
}

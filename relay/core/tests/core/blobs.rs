//! Reserving, completing and dropping blobs, and envelopes that point to them.

use crate::world::{Person, World, body, chat_of, commit, founding, refused, sent};
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::limits::{BLOB_LEAST, BLOB_RETENTION_MS, BLOB_UNFINISHED_MS, MAX_BIG_HANDSHAKE};
use aside_protocol::refusal::{Plain, TooLarge};
use aside_protocol::request::{Answer, BlobRef, Commit, Range, Uploading};
use aside_protocol::{Body, Hash, Millis, Pos, Refusal, Seq};
use aside_relay_core::{BlobLimits, By, Command, Outcome};

const LIMITS: BlobLimits = BlobLimits { quota: 100_000, most: 60_000 };

fn blob(number: u8, size: u64) -> BlobRef {
    BlobRef { id: Hash([number; 32]), size }
}

fn reserve(world: &mut World, by: By, blob: BlobRef) -> Answer {
    world.apply(Command::ReserveBlob(by, blob, LIMITS)).answer
}

fn ready(offset: u64) -> Answer {
    Answer::Uploading(Uploading { token: Body::from(Vec::new()), offset })
}

fn complete(world: &mut World, blob: BlobRef) {
    assert!(matches!(world.apply(Command::CompleteBlob(blob)).answer, Answer::Done(_)));
}

fn too_large(limit: u64) -> Refusal {
    Refusal::TooLarge(TooLarge { limit })
}

fn retain(world: &mut World) {
    while world.apply(Command::Retain { limit: 3 }).more {}
}

fn dropped(world: &World) -> Vec<Hash> {
    world.core.view().dropped_blobs(&Hash([0; 32]), 100).unwrap()
}

#[test]
fn a_reservation_is_repeated_as_often_as_wanted_and_costs_once() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    for _ in 0..3 {
        assert_eq!(reserve(&mut world, alice.by(0), blob(1, 60_000)), ready(0));
    }
    assert_eq!(reserve(&mut world, alice.by(0), blob(2, 40_000)), ready(0));
    assert_eq!(refused(&reserve(&mut world, alice.by(0), blob(3, 1))), too_large(100_000));
    assert_eq!(reserve(&mut world, bob.by(0), blob(1, 60_000)), ready(0), "another account pays for itself");
    assert_eq!(refused(&reserve(&mut world, bob.by(0), blob(4, 60_001))), too_large(60_000));
    assert_eq!(refused(&reserve(&mut world, bob.by(0), blob(4, 0))), Refusal::Invalid(Plain {}));
    assert_eq!(refused(&reserve(&mut world, bob.by(0), blob(1, 9))), Refusal::Invalid(Plain {}), "it has one size");
}

#[test]
fn short_blobs_count_for_a_page_each() {
    let alice = Person::new("alice", 1);
    let mut world = World::with(&[&alice]);
    let room = (LIMITS.quota / BLOB_LEAST) as u8;
    for number in 0..room {
        assert_eq!(reserve(&mut world, alice.by(0), blob(number, 1)), ready(0));
    }
    assert_eq!(refused(&reserve(&mut world, alice.by(0), blob(room, 1))), too_large(LIMITS.quota));
}

#[test]
fn a_complete_blob_is_complete_for_everybody_until_it_is_too_old() {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    let it = blob(1, 60_000);
    reserve(&mut world, alice.by(0), it);
    assert_eq!(world.core.view().blob(&it.id).unwrap(), None);
    complete(&mut world, it);
    assert_eq!(world.core.view().blob(&it.id).unwrap(), Some(60_000));
    assert_eq!(reserve(&mut world, bob.by(0), it), ready(60_000));
    world.now = Millis(world.now.0 + BLOB_RETENTION_MS);
    retain(&mut world);
    assert_eq!(world.core.view().blob(&it.id).unwrap(), Some(60_000), "exactly as old is not older");
    world.now = Millis(world.now.0 + 1);
    retain(&mut world);
    assert_eq!(world.core.view().blob(&it.id).unwrap(), None);
    assert_eq!(dropped(&world), [it.id], "its object is to go");
    for by in [alice.by(0), bob.by(0)] {
        assert_eq!(reserve(&mut world, by, blob(2, 60_000)), ready(0), "nobody pays for it any more");
    }
    world.apply(Command::BlobGone { id: it.id });
    assert_eq!(dropped(&world), []);
}

#[test]
fn an_upload_that_nobody_goes_on_with_is_dropped_and_one_that_is_renewed_stays() {
    let alice = Person::new("alice", 1);
    let mut world = World::with(&[&alice]);
    let (left, kept) = (blob(1, 50_000), blob(2, 50_000));
    reserve(&mut world, alice.by(0), left);
    reserve(&mut world, alice.by(0), kept);
    world.now = Millis(world.now.0 + BLOB_UNFINISHED_MS);
    reserve(&mut world, alice.by(0), kept);
    world.now = Millis(world.now.0 + 1);
    retain(&mut world);
    assert_eq!(dropped(&world), [left.id], "what a crash may have left of it is to go");
    assert_eq!(reserve(&mut world, alice.by(0), blob(3, 50_000)), ready(0));
    assert!(world.core.view().blob_is_reserved(&kept.id).unwrap());
    assert!(!world.core.view().blob_is_reserved(&left.id).unwrap());
}

#[test]
fn what_is_uploaded_again_while_it_is_dropped_is_not_deleted() {
    let alice = Person::new("alice", 1);
    let mut world = World::with(&[&alice]);
    let it = blob(1, 50_000);
    reserve(&mut world, alice.by(0), it);
    complete(&mut world, it);
    world.now = Millis(world.now.0 + BLOB_RETENTION_MS + 1);
    retain(&mut world);
    assert_eq!(reserve(&mut world, alice.by(0), it), ready(0), "a dropped one has to come again");
    assert_eq!(dropped(&world), []);
    complete(&mut world, it);
    world.apply(Command::BlobGone { id: it.id });
    assert_eq!(world.core.view().blob(&it.id).unwrap(), Some(50_000), "a late end of the deletion takes nothing");
}

/// A chat of two, and a commit by pointer that adds one of them again.
fn pointing() -> (World, Person, Person, Commit) {
    let (alice, bob) = (Person::new("alice", 1), Person::new("bob", 1));
    let mut world = World::with(&[&alice, &bob]);
    sent(&world.found(&alice, &bob, 1));
    let bobs = [bob.device(0)];
    let mut by_pointer = commit(chat_of(&alice, &bob), 2, Seq(1), &bobs, &bobs);
    (by_pointer.body, by_pointer.blob) = (body(""), Some(blob(1, 50_000)));
    if let Some(welcome) = &mut by_pointer.welcome {
        (welcome.body, welcome.blob) = (body(""), Some(blob(2, 40_000)));
    }
    (world, alice, bob, by_pointer)
}

fn apply(world: &mut World, by: By, commit: &Commit) -> Outcome {
    let hash = commit.blob.map_or_else(|| Hash::of(&commit.body), |blob| blob.id);
    world.apply(Command::Commit(by, hash, commit.clone()))
}

#[test]
fn an_envelope_points_only_to_what_is_complete() {
    let (mut world, alice, _, commit) = pointing();
    let not_there = Refusal::NotFound(Plain {});
    assert_eq!(refused(&apply(&mut world, alice.by(0), &commit).answer), not_there);
    complete(&mut world, blob(1, 50_000));
    assert_eq!(refused(&apply(&mut world, alice.by(0), &commit).answer), not_there, "nor the welcome's");
    complete(&mut world, blob(2, 39_999));
    assert_eq!(refused(&apply(&mut world, alice.by(0), &commit).answer), not_there, "of that size");
    complete(&mut world, blob(2, 40_000));
    sent(&apply(&mut world, alice.by(0), &commit));
}

#[test]
fn a_pointer_stands_in_place_of_the_body_wherever_the_envelope_is_read() {
    let (mut world, alice, bob, commit) = pointing();
    complete(&mut world, blob(1, 50_000));
    complete(&mut world, blob(2, 40_000));
    let outcome = apply(&mut world, alice.by(0), &commit);
    let live: Vec<Envelope> = outcome.deliveries.into_iter().map(|delivery| delivery.envelope).collect();
    let caught = world.catch_up(bob.device(0), Pos(0), 10);
    assert_eq!(caught[caught.len() - 2..], live[..]);
    let (committed, welcome) = (&live[0], &live[1]);
    assert_eq!((committed.kind, committed.hash), (EnvelopeKind::Commit, Some(blob(1, 50_000).id)));
    assert_eq!((&committed.body, committed.blob, committed.weight()), (&None, Some(blob(1, 50_000)), 0));
    assert_eq!((&welcome.body, welcome.blob), (&None, Some(blob(2, 40_000))));
    let range = Range { chat: commit.chat, from: Seq(2), to: Seq(2) };
    let again = world.core.view().range(&bob.device(0), &range).unwrap().unwrap();
    assert_eq!(again.envelopes, live[..1]);
    let own = world.core.view().range(&alice.device(0), &range).unwrap().unwrap().envelopes;
    assert_eq!((&own[0].body, own[0].blob, own[0].hash), (&None, None, committed.hash), "an echo has neither");
}

#[test]
fn a_pointer_renews_what_it_points_to_and_a_repeated_commit_outlives_it() {
    let (mut world, alice, _, commit) = pointing();
    complete(&mut world, blob(1, 50_000));
    complete(&mut world, blob(2, 40_000));
    world.now = Millis(world.now.0 + BLOB_RETENTION_MS);
    let first = sent(&apply(&mut world, alice.by(0), &commit));
    world.now = Millis(world.now.0 + BLOB_RETENTION_MS);
    retain(&mut world);
    assert_eq!(dropped(&world), []);
    world.now = Millis(world.now.0 + 1);
    retain(&mut world);
    assert_eq!(dropped(&world).len(), 2);
    assert_eq!(sent(&apply(&mut world, alice.by(0), &commit)), first);
}

#[test]
fn both_neither_or_too_much_is_refused() {
    let (mut world, alice, bob, commit) = pointing();
    let huge = blob(9, MAX_BIG_HANDSHAKE as u64 + 1);
    complete(&mut world, huge);
    complete(&mut world, blob(1, 50_000));
    let both = Commit { body: body("both"), ..commit.clone() };
    let neither = Commit { blob: None, ..commit.clone() };
    for wrong in [both, neither] {
        assert_eq!(refused(&apply(&mut world, alice.by(0), &wrong).answer), Refusal::Invalid(Plain {}));
    }
    let long = Commit { blob: Some(huge), ..commit };
    assert_eq!(refused(&apply(&mut world, alice.by(0), &long).answer), too_large(MAX_BIG_HANDSHAKE as u64));
    let mut again = founding(&alice, &bob, 2, "again");
    if let Some(welcome) = &mut again.welcome {
        (welcome.body, welcome.blob) = (body(""), Some(blob(7, 100)));
    }
    let found = |world: &mut World| world.apply(Command::Found(alice.by(0), Hash::of(&again.body), again.clone()));
    assert_eq!(refused(&found(&mut world).answer), Refusal::NotFound(Plain {}));
    complete(&mut world, blob(7, 100));
    sent(&found(&mut world));
}

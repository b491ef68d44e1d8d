//! Commits and foundings whose bytes go as blobs, in a group that is not where the blobs are noted, if there is more than one
//! partition: everybody gets the pointer and can fetch what it points to.

use crate::blobs::{bytes, get, leave, of, put};
use crate::client::{Client, Transport};
use crate::people::{Person, Running};
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, BlobRef, Commit, Found, Origin, Request, Sent, Welcome};
use aside_protocol::{Body, ChatId, GroupNonce, Hash, N, PartitionId, Refusal, Seq};

const NOT_FOUND: Answer = Answer::Refused(Refusal::NotFound(Plain {}));

/// More than fits a frame, each other bytes.
fn long(number: usize) -> Vec<u8> {
    let mut all = bytes(1_100_000);
    all[number] ^= 0xff;
    all
}

/// A group of the founder's, elsewhere than in the directory if there is an elsewhere.
fn origin(client: &Client, founder: &Person) -> (ChatId, Origin) {
    let origin = |number| Origin { account: founder.account(), nonce: GroupNonce([number; 16]) };
    let groups = (0..=255).map(|number| (ChatId::group(&founder.account(), &origin(number).nonce), origin(number)));
    let alone = client.welcome.positions.len() == 1;
    groups.into_iter().find(|(chat, _)| alone || client.position(chat).partition != PartitionId(0)).unwrap()
}

/// The group with the founder alone, or with others who are welcomed by pointer.
fn found((chat, origin): &(ChatId, Origin), people: &[&Person], welcome: Option<BlobRef>) -> Request {
    let devices: Vec<_> = people.iter().map(|person| person.device).collect();
    let welcome = welcome.map(|blob| Welcome { to: devices[1..].to_vec(), body: Body::default(), blob: Some(blob) });
    let (incarnation, accounts) = (1 + u64::from(welcome.is_some()), vec![]);
    let origin = Some(*origin);
    let body = Body::from(Hash::of(b"founding").0.to_vec());
    Request::Found(Found { chat: *chat, accounts, incarnation, devices, body, welcome, origin })
}

/// Adds somebody, all by pointer.
fn commit(chat: ChatId, person: &Person, blob: BlobRef, welcome: BlobRef) -> Request {
    let add = vec![person.device];
    let welcome = Some(Welcome { to: add.clone(), body: Body::default(), blob: Some(welcome) });
    let (n, base, blob) = (N(2), Seq(1), Some(blob));
    Request::Commit(Commit { chat, n, base, body: Body::default(), add, remove: vec![], welcome, blob })
}

async fn uploaded(relay: &Running, client: &mut Client, all: &[u8]) -> BlobRef {
    let may = leave(client, of(all)).await;
    assert_eq!(put(relay, &may, all, 0, all.len()).await.status, 201);
    of(all)
}

async fn sent(client: &mut Client, request: Request) -> Sent {
    match client.ask(request).await {
        Answer::Sent(sent) => sent,
        other => panic!("not sent: {other:?}"),
    }
}

/// The next envelope of a kind, which points to these bytes, and they are there.
async fn points(relay: &Running, client: &mut Client, kind: EnvelopeKind, all: &[u8]) -> Envelope {
    let envelope = loop {
        let envelope = client.envelope().await;
        if envelope.kind == kind && envelope.blob.is_some() {
            break envelope;
        }
    };
    assert_eq!((envelope.blob, &envelope.body), (Some(of(all)), &None));
    let got = get(relay, &of(all).id, "").await;
    assert!(got.status == 200 && got.body == all, "what it points to is not there: {}", got.status);
    envelope
}

#[tokio::test]
async fn a_commit_and_a_welcome_that_fit_no_frame_reach_everybody_as_pointers() {
    let relay = Running::start(Transport::Quic).await;
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(Person::new);
    let (mut a, mut b) = (relay.join(&alice).await, relay.join(&bob).await);
    let group = origin(&a, &alice);
    let chat = group.0;
    let (adding, welcome, again) = (long(1), long(2), long(3));
    sent(&mut a, found(&group, &[&alice], None)).await;
    let commit = commit(chat, &bob, of(&adding), of(&welcome));
    assert_eq!(a.ask(commit.clone()).await, NOT_FOUND, "nothing was uploaded");
    uploaded(&relay, &mut a, &adding).await;
    assert_eq!(a.ask(commit.clone()).await, NOT_FOUND, "the welcome was not");
    uploaded(&relay, &mut a, &welcome).await;
    let first = sent(&mut a, commit.clone()).await;
    assert_eq!((first.n, first.seq), (N(2), Seq(2)));
    points(&relay, &mut b, EnvelopeKind::Welcome, &welcome).await;
    assert_eq!(sent(&mut a, commit.clone()).await, first, "asked again");

    // All three, anew: founded by pointer too.
    let mut c = relay.join(&carol).await;
    let everybody = found(&group, &[&alice, &bob, &carol], Some(of(&again)));
    assert_eq!(a.ask(everybody.clone()).await, NOT_FOUND);
    uploaded(&relay, &mut a, &again).await;
    let refounded = sent(&mut a, everybody).await;
    for client in [&mut b, &mut c] {
        let welcome = points(&relay, client, EnvelopeKind::Welcome, &again).await;
        assert_eq!((welcome.partition, welcome.base), (client.position(&chat).partition, Some(refounded.seq)));
    }
    drop((a, b, c));
    let relay = relay.restart().await;
    let mut back = relay.login(&carol, 0).await;
    points(&relay, &mut back, EnvelopeKind::Welcome, &again).await;
}

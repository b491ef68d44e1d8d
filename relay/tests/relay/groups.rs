//! Groups over real connections: founded, written to, left, joined, and what may be asked about them.

use crate::client::{Client, Transport};
use crate::over_each;
use crate::people::{Person, Running, body, message};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{
    Answer, Chats, ChatsOf, Found, Join, Leave, Origin, Receipt, Receipts, ReceiptsOf, Rejoin, Request, Welcome,
};
use aside_protocol::{Body, ChatId, GroupNonce, Hash, Pos, Refusal, Seq};

async fn found(client: &mut Client, people: &[&Person]) -> ChatId {
    let origin = Origin { account: people[0].account(), nonce: GroupNonce([3; 16]) };
    let chat = ChatId::group(&origin.account, &origin.nonce);
    let to = people[1..].iter().map(|person| person.device).collect();
    let request = Request::Found(Found {
        chat,
        accounts: vec![],
        incarnation: 1,
        devices: people.iter().map(|person| person.device).collect(),
        body: Body::from(Hash::of(b"commit").0.to_vec()),
        welcome: Some(Welcome { to, body: body(b"welcome"), blob: None }),
        origin: Some(origin),
    });
    assert!(matches!(client.ask(request).await, Answer::Sent(_)));
    chat
}

/// The next envelope of that kind; the others are passed over.
async fn next(client: &mut Client, kind: EnvelopeKind) -> Body {
    loop {
        let envelope = client.envelope().await;
        if envelope.kind == kind {
            return envelope.body.unwrap_or_default();
        }
    }
}

async fn a_group_lives_and_strangers_learn_nothing_of_it(via: Transport) {
    let relay = Running::start(via).await;
    let people = ["alice", "bob", "carol", "dave"].map(Person::new);
    let [alice, bob, carol, _] = &people;
    let (mut a, mut b, mut c) = (relay.join(alice).await, relay.join(bob).await, relay.join(carol).await);
    let mut d = relay.join(&people[3]).await;
    let chat = found(&mut a, &[alice, bob, carol]).await;
    assert_eq!(next(&mut b, EnvelopeKind::Welcome).await, body(b"welcome"));
    assert!(matches!(b.ask(message(chat, 1, Seq(1), "to all")).await, Answer::Sent(_)));
    for client in [&mut a, &mut c] {
        assert_eq!(next(client, EnvelopeKind::Message).await, body(b"to all"));
    }
    let leave = Request::Leave(Leave { chat, body: body(b"bye") });
    assert!(matches!(c.ask(leave.clone()).await, Answer::Done(done) if done.pos.is_some()));
    let join = Request::Join(Join { chat, body: body(b"let me in") });
    assert!(matches!(d.ask(join).await, Answer::Done(done) if done.pos.is_some()));
    for client in [&mut a, &mut b] {
        assert_eq!(next(client, EnvelopeKind::Leave).await, body(b"bye"));
        assert_eq!(next(client, EnvelopeKind::Join).await, body(b"let me in"));
    }
    let receipt = Request::Receipt(Receipt { chat, base: Seq(1), body: body(b"seen") });
    assert!(matches!(a.ask(receipt).await, Answer::Done(_)));
    let receipts = Request::Receipts(Receipts { chat, after: Pos(0) });
    let Answer::Receipts(ReceiptsOf { receipts: found, more: false }) = b.ask(receipts.clone()).await else {
        panic!("no receipts");
    };
    assert_eq!((found.len(), found[0].from), (1, alice.device));
    let Answer::Chats(ChatsOf { chats, more: false }) = b.ask(Request::Chats(Chats::default())).await else {
        panic!("no chats");
    };
    assert_eq!((chats.len(), chats[0].chat, chats[0].last, chats[0].routed), (1, chat, Seq(2), true));

    let not_member = Answer::Refused(Refusal::NotMember(Plain {}));
    let rejoin = Request::Rejoin(Rejoin { chat, body: body(b"again") });
    for request in [receipts, leave, rejoin, message(chat, 1, Seq(1), "x")] {
        assert_eq!(d.ask(request).await, not_member);
    }
    let Answer::Chats(none) = d.ask(Request::Chats(Chats::default())).await else { panic!("no chats") };
    assert!(none.chats.is_empty());
}

over_each!(a_group_lives_and_strangers_learn_nothing_of_it);

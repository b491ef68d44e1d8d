//! Who is in a chat: founding it, committing to it, undoing, leaving, joining, and asking about it.

use super::{Chapter, Met, Pair, VIA, caught_up, device_of, list_after};
use crate::client::Client;
use crate::people::{Person, Running, body, chat_of, message};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::refusal::{DevicesChanged, Exists, Plain, Stale};
use aside_protocol::request::{
    Answer, Chats, ChatsOf, Commit, Found, Join, Leave, Origin, PutDeviceList, Rejoin, Request, Route, Routed, Routing,
    Welcome,
};
use aside_protocol::{Body, ChatId, DeviceId, GroupNonce, Hash, N, Refusal, Seq};

pub const FOUNDING: Chapter = Chapter {
    requests: &["Found", "Send", "PutDeviceList"],
    refusals: &["Exists", "NotFound", "Invalid", "DevicesChanged"],
};

fn found(founder: &Person, other: &Person, incarnation: u64, devices: &[&Person], text: &[u8]) -> Request {
    let devices: Vec<DeviceId> = devices.iter().map(|device| device.device).collect();
    let to = devices.iter().filter(|device| **device != founder.device).copied().collect();
    Request::Found(Found {
        chat: chat_of(founder, other),
        accounts: vec![founder.account(), other.account()],
        incarnation,
        devices,
        body: body(text),
        welcome: Some(Welcome { to, body: body(b"welcome"), blob: None }),
        origin: None,
    })
}

#[tokio::test]
async fn of_two_foundings_one_stands_and_all_devices_are_in_it() {
    let mut met = Met::default();
    let Pair { relay, alice, bob, mut a, mut b, chat, base } = Pair::new().await;
    let all = [&alice, &bob];
    let first = met.sent(&mut a, found(&alice, &bob, 1, &all, b"founding")).await;
    assert_eq!(first.seq, base, "the same again has the same answer");
    let exists = Refusal::Exists(Exists { incarnation: 1, base });
    met.refused(&mut b, found(&bob, &alice, 1, &all, b"mine"), exists).await;
    let nobody = Person::new("nobody");
    met.refused(&mut a, found(&alice, &nobody, 1, &[&alice, &nobody], b"x"), Refusal::NotFound(Plain {})).await;
    met.refused(&mut a, found(&alice, &bob, 2, &[&alice, &alice], b"x"), Refusal::Invalid(Plain {})).await;

    let second = device_of(&bob, "second");
    let list = list_after(&bob, &bob.list(), &[&bob, &second]);
    met.done(&mut b, Request::PutDeviceList(PutDeviceList { list })).await;
    let changed = Refusal::DevicesChanged(DevicesChanged { account: bob.account(), version: 2 });
    met.refused(&mut a, found(&alice, &bob, 2, &all, b"again"), changed).await;
    let again = met.sent(&mut a, found(&alice, &bob, 2, &[&alice, &bob, &second], b"again")).await;
    assert_eq!((again.n, again.seq), (N(1), Seq(2)));
    met.sent(&mut b, message(chat, 1, again.seq, "in the second incarnation everybody begins at 1")).await;

    let relay = relay.restart().await;
    let got = caught_up(&mut relay.login(&second, 0).await).await;
    let kinds: Vec<_> = got.iter().map(|envelope| (envelope.kind, envelope.seq, envelope.incarnation)).collect();
    let wanted = [(EnvelopeKind::Welcome, None, Some(2)), (EnvelopeKind::Message, Some(Seq(3)), None)];
    assert_eq!(kinds, wanted, "nothing of before it was there");
    met.tells(&FOUNDING);
}

pub const MEMBERS: Chapter = Chapter {
    requests: &["Found", "Send", "Commit", "Route", "Routing", "Chats", "Leave", "Join", "Rejoin", "Range"],
    refusals: &["Stale", "NotMember", "NotFound", "RateLimited"],
};

/// Four people, of whom the first three found a group.
struct Group {
    people: [Person; 4],
    chat: ChatId,
}

impl Group {
    fn new() -> Self {
        let people = ["alice", "bob", "carol", "dave"].map(Person::new);
        let chat = ChatId::group(&people[0].account(), &GroupNonce([3; 16]));
        Self { people, chat }
    }

    fn devices(&self, numbers: &[usize]) -> Vec<DeviceId> {
        numbers.iter().map(|number| self.people[*number].device).collect()
    }

    fn found(&self) -> Request {
        Request::Found(Found {
            chat: self.chat,
            accounts: vec![],
            incarnation: 1,
            devices: self.devices(&[0, 1, 2]),
            body: Body::from(Hash::of(b"commit").0.to_vec()),
            welcome: Some(Welcome { to: self.devices(&[1, 2]), body: body(b"welcome"), blob: None }),
            origin: Some(Origin { account: self.people[0].account(), nonce: GroupNonce([3; 16]) }),
        })
    }

    fn commit(&self, n: u64, base: u64, add: &[usize], remove: &[usize]) -> Request {
        let (n, base, add, remove) = (N(n), Seq(base), self.devices(add), self.devices(remove));
        let welcome = (!add.is_empty()).then(|| Welcome { to: add.clone(), body: body(b"welcome"), blob: None });
        Request::Commit(Commit { chat: self.chat, n, base, body: body(b"commit"), add, remove, welcome, blob: None })
    }

    fn say(&self, n: u64, base: u64, text: &str) -> Request {
        message(self.chat, n, Seq(base), text)
    }

    fn leave(&self) -> Request {
        Request::Leave(Leave { chat: self.chat, body: body(b"let me go") })
    }

    async fn routed(&self, met: &mut Met, client: &mut Client) -> Routed {
        let asked = met.ask(client, Request::Routing(Routing { chat: self.chat })).await;
        let Answer::Routing(mut routed) = asked else { panic!("no routing: {asked:?}") };
        routed.devices.sort();
        routed
    }
}

#[tokio::test]
async fn commits_say_who_is_in_a_group_and_the_others_may_undo_them() {
    let (mut met, relay, group) = (Met::default(), Running::start(VIA).await, Group::new());
    let [alice, bob, carol, dave] = &group.people;
    let (mut a, mut b) = (relay.join(alice).await, relay.join(bob).await);
    let (mut c, mut d) = (relay.join(carol).await, relay.join(dave).await);
    let chat = group.chat;
    met.sent(&mut a, group.found()).await;
    met.refused(&mut d, group.say(1, 1, "x"), Refusal::NotMember(Plain {})).await;
    met.sent(&mut b, group.say(1, 1, "before dave")).await;
    assert_eq!(met.sent(&mut a, group.commit(2, 1, &[3], &[1])).await.seq, Seq(3));
    let stale = Refusal::Stale(Stale { base: Seq(3) });
    met.refused(&mut c, group.say(1, 1, "x"), stale.clone()).await;
    met.refused(&mut c, group.commit(1, 1, &[1], &[]), stale).await;
    met.refused(&mut b, group.say(2, 3, "x"), Refusal::NotMember(Plain {})).await;
    met.sent(&mut d, group.say(1, 3, "with dave")).await;
    assert_eq!(met.held(&mut d, chat).await.0, [4], "who joins has nothing of before");
    assert_eq!(met.held(&mut b, chat).await.0, [2, 3], "who was removed has its removal last");

    let ahead = Request::Route(Route { chat, refused: Seq(9) });
    met.refused(&mut c, ahead, Refusal::Stale(Stale { base: Seq(3) })).await;
    for _ in 0..2 {
        met.done(&mut b, Request::Route(Route { chat, refused: Seq(3) })).await;
    }
    let mut wanted = group.devices(&[0, 1, 2]);
    wanted.sort();
    let Routed { devices, base, last, incarnation } = group.routed(&mut met, &mut b).await;
    assert_eq!((devices, base, last, incarnation), (wanted, Seq(3), Seq(4), 1));
    met.refused(&mut d, Request::Routing(Routing { chat }), Refusal::NotFound(Plain {})).await;
    assert_eq!(met.sent(&mut b, group.say(2, 3, "back again")).await.seq, Seq(5), "with the number it had");
    let told = caught_up(&mut relay.login(carol, 0).await).await;
    let undone: Vec<_> = told.iter().filter(|envelope| envelope.kind == EnvelopeKind::Routed).collect();
    assert_eq!(undone.len(), 1, "told once");

    ask_others(&mut met, &group, [&mut b, &mut d]).await;
    let relay = relay.restart().await;
    let mut b = relay.login(bob, 0).await;
    assert!(matches!(met.ask(&mut b, group.leave()).await, Answer::Refused(Refusal::RateLimited(_))), "hours go on");
    let Answer::Chats(ChatsOf { chats, more: false }) = met.ask(&mut b, Request::Chats(Chats::default())).await else {
        panic!("no chats");
    };
    let place = chats[0];
    assert_eq!((chats.len(), place.chat, place.base, place.last, place.routed), (1, chat, Seq(3), Seq(5), true));
    met.tells(&MEMBERS);
}

/// Requests to the other devices, which the relay passes on and bounds.
async fn ask_others(met: &mut Met, group: &Group, [b, d]: [&mut Client; 2]) {
    let chat = group.chat;
    met.done(d, Request::Join(Join { chat, body: body(b"let me in") })).await;
    let elsewhere = Request::Join(Join { chat: ChatId([1; 32]), body: body(b"let me in") });
    met.refused(d, elsewhere, Refusal::NotFound(Plain {})).await;
    let rejoin = Request::Rejoin(Rejoin { chat, body: body(b"again") });
    met.done(b, rejoin.clone()).await;
    met.refused(d, rejoin, Refusal::NotMember(Plain {})).await;
    for _ in 0..5 {
        met.done(b, group.leave()).await;
    }
    let Answer::Refused(refusal) = met.ask(b, group.leave()).await else { panic!("five an hour") };
    let Refusal::RateLimited(hour) = refusal else { panic!("not for its number: {refusal:?}") };
    assert!((1..=3_600_000).contains(&hour.retry_after_ms));
}

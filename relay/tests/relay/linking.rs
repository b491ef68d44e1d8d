//! What happens before a login besides it: meetings, claims, recoveries.

use crate::client::{Client, Transport, Unauthenticated};
use crate::over_each;
use crate::people::{Person, Running, body};
use crate::registering::assert_fatal;
use aside_protocol::device_list::{DeviceEntry, DeviceList, SignedDeviceList, hash_of};
use aside_protocol::frame::{Claim, ClientFrame, GoodbyeReason, Meet, Recover, RelayFrame};
use aside_protocol::login::Transcript;
use aside_protocol::refusal::{Plain, RetryAfter};
use aside_protocol::request::{Account, Answer, Chats, OpenMeeting, Request, Tell};
use aside_protocol::{Body, MeetingId, Millis, PublicKey, Refusal, Signature, codec};
use ed25519_dalek::Signer as _;

const MEETING: MeetingId = MeetingId([7; 16]);

fn meet(text: &[u8]) -> ClientFrame {
    ClientFrame::Meet(Meet { meeting: MEETING, body: body(text) })
}

async fn tell(host: &mut Client, text: &[u8]) -> Answer {
    host.ask(Request::Tell(Tell { meeting: MEETING, body: body(text) })).await
}

fn met(text: &[u8]) -> Option<RelayFrame> {
    Some(RelayFrame::Met(Meet { meeting: MEETING, body: body(text) }))
}

fn refused(refusal: Refusal) -> Option<RelayFrame> {
    Some(RelayFrame::LoginRefused(refusal))
}

const NOT_FOUND: Refusal = Refusal::NotFound(Plain {});

async fn host(relay: &Running) -> Client {
    let mut host = relay.join(&Person::new("alice")).await;
    assert!(matches!(host.ask(Request::OpenMeeting(OpenMeeting { meeting: MEETING })).await, Answer::Done(_)));
    host
}

/// A connection that has said hello.
async fn guest(relay: &Running) -> (Unauthenticated, Transcript) {
    let mut guest = relay.connect().await;
    let transcript = guest.transcript().await;
    (guest, transcript)
}

async fn a_host_and_a_guest_talk_and_the_guest_logs_in_at_last(via: Transport) {
    let relay = Running::start(via).await;
    let bob = Person::new("bob");
    drop(relay.join(&bob).await);
    let mut host = host(&relay).await;
    let (mut guest, transcript) = guest(&relay).await;
    guest.send(&meet(b"hello")).await;
    assert_eq!(host.other().await, met(b"hello"));
    assert!(matches!(tell(&mut host, b"welcome").await, Answer::Done(_)));
    assert_eq!(guest.receive().await, met(b"welcome"));
    guest.send(&ClientFrame::Login(bob.login(&transcript))).await;
    assert!(guest.logged_in().await.is_ok());
    assert_eq!(host.other().await, met(b""), "a guest that logged in is none any more");
    assert_eq!(tell(&mut host, b"still there?").await, Answer::Refused(NOT_FOUND));
}

async fn only_one_guest_at_a_time_and_none_without_a_host(via: Transport) {
    let relay = Running::start(via).await;
    let (mut early, _) = guest(&relay).await;
    early.send(&meet(b"too early")).await;
    assert_eq!(early.receive().await, refused(NOT_FOUND));
    let mut host = host(&relay).await;
    early.send(&meet(b"first")).await;
    assert_eq!(host.other().await, met(b"first"));
    let (mut second, _) = guest(&relay).await;
    second.send(&meet(b"second")).await;
    assert_eq!(second.receive().await, refused(Refusal::Busy(RetryAfter { retry_after_ms: 2_000 })));
    early.socket.close().await;
    drop(early);
    assert_eq!(host.other().await, met(b""));
    second.send(&meet(b"second")).await;
    assert_eq!(host.other().await, met(b"second"));
    second.send(&meet(b"")).await;
    assert_eq!(second.receive().await, refused(Refusal::Invalid(Plain {})));
    host.socket.close().await;
    drop(host);
    assert_eq!(second.receive().await, met(b""));
    second.send(&meet(b"anybody?")).await;
    assert_eq!(second.receive().await, refused(NOT_FOUND));
}

fn claim(person: &Person, transcript: &Transcript, from_version: u64) -> ClientFrame {
    let signature = Signature(person.root.sign(&transcript.claim_signs(&person.account())).to_bytes());
    ClientFrame::Claim(Claim { root: person.root(), from_version, signature })
}

/// A second device of a person, alone in the version after the first.
fn second(person: &Person) -> (Person, Body) {
    let other = Person::new("another-device");
    let device = Person { name: person.name.clone(), root: person.root.clone(), key: other.key, device: other.device };
    let first: SignedDeviceList = codec::decode(&person.list().0).unwrap();
    let key = PublicKey(device.key.verifying_key().to_bytes());
    let devices = vec![DeviceEntry { device: device.device, key, added: Millis(2) }];
    let list = DeviceList { account: person.account(), version: 2, previous: hash_of(&first.list), devices };
    let list = person.sign_list(&list);
    (device, list)
}

fn recover(device: &Person, list: &Body, transcript: &Transcript) -> ClientFrame {
    let signature = Signature(device.key.sign(&transcript.recovery_signs(list)).to_bytes());
    ClientFrame::Recover(Recover { account: device.account(), device: device.device, list: list.clone(), signature })
}

async fn a_lost_account_is_claimed_and_recovered_and_the_lost_device_is_out(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    let mut lost = relay.join(&alice).await;
    let (device, list) = second(&alice);
    for _ in 0..2 {
        let (mut connection, transcript) = guest(&relay).await;
        connection.send(&claim(&alice, &transcript, 0)).await;
        let Some(RelayFrame::Claimed(Account { name, root, lists })) = connection.receive().await else {
            panic!("not claimed");
        };
        assert_eq!((name, root, &lists[0]), (alice.name.clone(), alice.root(), &alice.list()));
        connection.send(&recover(&device, &list, &transcript)).await;
        let mut back = connection.logged_in().await.unwrap_or_else(|refusal| panic!("refused: {refusal:?}"));
        assert_eq!(back.welcome.account, alice.account());
        assert!(matches!(back.ask(Request::Chats(Chats::default())).await, Answer::Chats(_)));
    }
    let goodbye = lost.other().await;
    assert!(matches!(goodbye, Some(RelayFrame::Goodbye(goodbye)) if goodbye.reason == GoodbyeReason::ShuttingDown));
    let (mut old, transcript) = guest(&relay).await;
    old.send(&ClientFrame::Login(alice.login(&transcript))).await;
    assert_eq!(old.receive().await, refused(Refusal::Revoked(Plain {})));
    relay.login(&device, 0).await;
    let (mut connection, transcript) = guest(&relay).await;
    connection.send(&claim(&alice, &transcript, 2)).await;
    let Some(RelayFrame::Claimed(Account { lists, .. })) = connection.receive().await else { panic!("not claimed") };
    assert_eq!(lists, [list]);
}

async fn claims_and_recoveries_by_others_are_faults(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    relay.join(&alice).await;
    let (device, list) = second(&alice);

    let (mut nobody, transcript) = guest(&relay).await;
    nobody.send(&claim(&Person::new("nobody"), &transcript, 0)).await;
    assert_eq!(nobody.receive().await, refused(NOT_FOUND));
    let mut stranger = device;
    let recorded = recover(&stranger, &list, &transcript);
    let (mut replayed, _) = guest(&relay).await;
    replayed.send(&recorded).await;
    assert_fatal(replayed, "RCV-2").await;

    let (mut impostor, transcript) = guest(&relay).await;
    let signature = Signature(Person::new("mallory").root.sign(&transcript.claim_signs(&alice.account())).to_bytes());
    impostor.send(&ClientFrame::Claim(Claim { root: alice.root(), from_version: 0, signature })).await;
    assert_fatal(impostor, "RCV-1").await;

    let (mut other, transcript) = guest(&relay).await;
    stranger.device = aside_protocol::DeviceId([9; 16]);
    other.send(&recover(&stranger, &list, &transcript)).await;
    assert_eq!(other.receive().await, refused(Refusal::Invalid(Plain {})), "the list lacks the device");
    let rootless = Person { root: Person::new("mallory").root, ..Person::new("alice") };
    let (device, mut list) = second(&alice);
    let signed: SignedDeviceList = codec::decode(&list.0).unwrap();
    list = rootless.sign_list(&codec::decode(&signed.list.0).unwrap());
    let account = alice.account();
    let signature = Signature(device.key.sign(&transcript.recovery_signs(&list)).to_bytes());
    other.send(&ClientFrame::Recover(Recover { account, device: device.device, list, signature })).await;
    assert_eq!(other.receive().await, refused(Refusal::Invalid(Plain {})), "not the root's signature");
}

async fn claims_recoveries_and_meetings_come_before_the_login(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    let mut client = relay.join(&alice).await;
    let (_, transcript) = guest(&relay).await;
    let (device, list) = second(&alice);
    for frame in [meet(b"x"), claim(&alice, &transcript, 0), recover(&device, &list, &transcript)] {
        client.send(&frame).await;
        assert!(
            matches!(client.other().await, Some(RelayFrame::Fault(fault)) if fault.rule == "FRM-3" && !fault.fatal)
        );
        let mut early = relay.connect().await;
        early.send(&frame).await;
        assert_fatal(early, "FRM-3").await;
    }
}

over_each!(
    a_host_and_a_guest_talk_and_the_guest_logs_in_at_last,
    only_one_guest_at_a_time_and_none_without_a_host,
    a_lost_account_is_claimed_and_recovered_and_the_lost_device_is_out,
    claims_and_recoveries_by_others_are_faults,
    claims_recoveries_and_meetings_come_before_the_login,
);

//! Connections that are replaced, refused or closed in order, and what else devices ask of the relay.

use crate::client::{Transport, Unauthenticated};
use crate::over_each;
use crate::people::{Person, Running, body};
use aside_protocol::device_list::{self, DeviceEntry, DeviceList, SignedDeviceList};
use aside_protocol::frame::{ClientFrame, Goodbye, GoodbyeReason, RelayFrame};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{
    Answer, FetchKeyPackages, KeyPackageUpload, Lookup, PutDeviceList, PutKeyPackages, Request, Suite, Who,
};
use aside_protocol::{DeviceId, Millis, Name, PublicKey, Refusal, RequestId, codec};

fn reason(frame: Option<RelayFrame>) -> GoodbyeReason {
    match frame {
        Some(RelayFrame::Goodbye(Goodbye { reason, .. })) => reason,
        other => panic!("no goodbye but {other:?}"),
    }
}

async fn a_second_login_of_a_device_replaces_the_first(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    let mut first = relay.join(&alice).await;
    let mut second = relay.login(&alice, 0).await;
    assert_eq!(reason(first.other().await), GoodbyeReason::Replaced);
    assert_eq!(first.other().await, None);
    assert_eq!(relay.server.connected(), 1, "the first one's end does not disconnect the second");
    let own = Request::Lookup(Lookup { who: Who::Account(alice.account()), from_version: 1 });
    assert!(matches!(second.ask(own).await, Answer::Account(_)));
}

async fn a_relay_that_stops_says_goodbye_to_all(via: Transport) {
    let relay = Running::start(via).await;
    let mut client = relay.join(&Person::new("alice")).await;
    let stopping = tokio::spawn(relay.server.stop());
    assert_eq!(reason(client.other().await), GoodbyeReason::ShuttingDown);
    assert_eq!(client.other().await, None);
    stopping.await.unwrap();
}

async fn a_full_relay_says_come_back_later(via: Transport) {
    let relay = Running::with(via, |options| options.connections = 1).await;
    let _first = relay.join(&Person::new("alice")).await;
    let mut second = relay.connect().await;
    second.send(&ClientFrame::Hello(Unauthenticated::hello())).await;
    assert_eq!(reason(second.receive().await), GoodbyeReason::Full);
    assert_eq!(second.receive().await, None);
}

async fn accounts_are_found_by_name_and_by_id(via: Transport) {
    let relay = Running::start(via).await;
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut client = relay.join(&alice).await;
    relay.join(&bob).await;
    for who in [Who::Name(bob.name.clone()), Who::Account(bob.account())] {
        let Answer::Account(found) = client.ask(Request::Lookup(Lookup { who, from_version: 1 })).await else {
            panic!("not found");
        };
        assert_eq!((found.name, found.root, found.lists), (bob.name.clone(), bob.root(), vec![bob.list()]));
    }
    let nobody = Lookup { who: Who::Name(Name::new("nobody").unwrap()), from_version: 1 };
    assert_eq!(client.ask(Request::Lookup(nobody)).await, Answer::Refused(Refusal::NotFound(Plain {})));
}

async fn key_packages_are_stored_counted_and_given_out(via: Transport) {
    let relay = Running::start(via).await;
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (mut one, mut other) = (relay.join(&alice).await, relay.join(&bob).await);
    let upload = |text: &[u8], last_resort| KeyPackageUpload { suite: Suite::XWing, last_resort, body: body(text) };
    let packages = vec![upload(b"first", false), upload(b"last", true)];
    let Answer::KeyPackageCounts(counts) = other.ask(Request::PutKeyPackages(PutKeyPackages { packages })).await else {
        panic!("not stored");
    };
    assert_eq!((counts[0].one_time, counts[0].last_resort), (1, true));
    let fetch = |id: u8| {
        let id = RequestId([id; 16]);
        Request::FetchKeyPackages(FetchKeyPackages { id, account: bob.account(), suite: Suite::XWing })
    };
    for (id, wanted) in [(1, &b"first"[..]), (1, b"first"), (2, b"last"), (3, b"last")] {
        let Answer::KeyPackages(packages) = one.ask(fetch(id)).await else { panic!("none") };
        assert_eq!((packages[0].device, &packages[0].body[..]), (bob.device, wanted));
    }
    assert_eq!(relay.login(&bob, 0).await.welcome.key_packages[0].one_time, 0);
}

async fn a_removed_device_is_disconnected_and_told_so_when_it_comes_back(via: Transport) {
    let relay = Running::start(via).await;
    let alice = Person::new("alice");
    let mut client = relay.join(&alice).await;
    let signed: SignedDeviceList = codec::decode(&alice.list().0).unwrap();
    let entry = DeviceEntry { device: DeviceId([5; 16]), key: PublicKey([6; 32]), added: Millis(2) };
    let previous = device_list::hash_of(&signed.list);
    let next = DeviceList { account: alice.account(), version: 2, previous, devices: vec![entry] };
    let list = alice.sign_list(&next);
    client.post(Request::PutDeviceList(PutDeviceList { list })).await;
    let frames = [client.other().await, client.other().await];
    assert!(frames.iter().any(|frame| matches!(frame, Some(RelayFrame::Answer(_)))), "{frames:?}");
    assert!(frames.iter().any(|frame| matches!(frame, Some(RelayFrame::Goodbye(_)))), "{frames:?}");
    let mut back = relay.connect().await;
    let transcript = back.transcript().await;
    back.send(&ClientFrame::Login(alice.login(&transcript))).await;
    assert_eq!(back.logged_in().await.err(), Some(Refusal::Revoked(Plain {})));
}

over_each!(
    a_second_login_of_a_device_replaces_the_first,
    a_relay_that_stops_says_goodbye_to_all,
    a_full_relay_says_come_back_later,
    accounts_are_found_by_name_and_by_id,
    key_packages_are_stored_counted_and_given_out,
    a_removed_device_is_disconnected_and_told_so_when_it_comes_back,
);

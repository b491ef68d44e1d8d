//! Accounts, their devices, their key packages, and meetings: what is not said in chats.

use super::{Chapter, Met, VIA, device_of, list_after};
use crate::client::{Client, Unauthenticated};
use crate::people::{Person, Running, body};
use aside_protocol::frame::{ClientFrame, Meet, RelayFrame};
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::refusal::{DevicesChanged, Plain, RetryAfter, TooLarge};
use aside_protocol::request::{
    Answer, BlobRef, FetchKeyPackages, KeyPackageUpload, Lookup, OpenMeeting, PutDeviceList, PutKeyPackages, Request,
    Suite, Tell, Upload, Who,
};
use aside_protocol::{Body, Hash, MeetingId, Name, Refusal, RequestId};
use aside_relay_core::BlobLimits;
use std::time::Duration;

pub const REGISTERING: Chapter = Chapter {
    requests: &["Lookup"],
    refusals: &["InviteUnknown", "InviteExpired", "InviteUsed", "NameTaken", "AlreadyRegistered", "NotFound"],
};

#[tokio::test]
async fn an_invite_makes_an_account_and_neither_is_made_twice() {
    let (mut met, relay) = (Met::default(), Running::start(VIA).await);
    let (alice, mallory) = (Person::new("alice"), Person::new("mallory"));
    let once = relay.server.invite(1, Duration::from_secs(60)).await.unwrap();
    let expired = relay.server.invite(1, Duration::ZERO).await.unwrap();
    let open = relay.invite().await;
    Unauthenticated::connect(&once, VIA).await.register(&alice, once.secret).await;
    let renamed = Person { name: Name::new("alicia").unwrap(), ..Person::new("alice") };
    let taken = Person { name: alice.name.clone(), ..Person::new("mallory") };
    let unknown = Invite { secret: InviteSecret([9; 16]), ..open.clone() };
    let cases = [
        (&mallory, &unknown, Refusal::InviteUnknown(Plain {})),
        (&mallory, &expired, Refusal::InviteExpired(Plain {})),
        (&mallory, &once, Refusal::InviteUsed(Plain {})),
        (&taken, &open, Refusal::NameTaken(Plain {})),
        (&renamed, &open, Refusal::AlreadyRegistered(Plain {})),
    ];
    for (person, invite, wanted) in cases {
        let refusal = Unauthenticated::connect(invite, VIA).await.try_register(person, invite.secret).await.err();
        assert_eq!(refusal.as_ref(), Some(&wanted));
        met.note(&wanted);
    }
    let relay = relay.restart().await;
    // The registration whose answer was lost, with an invite that is used up: the account is there.
    let again = Invite { addresses: relay.invite().await.addresses, ..once };
    let mut client = Unauthenticated::connect(&again, VIA).await.register(&alice, again.secret).await;
    let who = |name: &str| Request::Lookup(Lookup { who: Who::Name(Name::new(name).unwrap()), from_version: 1 });
    assert!(matches!(met.ask(&mut client, who("alice")).await, Answer::Account(found) if found.root == alice.root()));
    met.refused(&mut client, who("mallory"), Refusal::NotFound(Plain {})).await;
    met.tells(&REGISTERING);
}

pub const DEVICES: Chapter = Chapter {
    requests: &["PutDeviceList", "PutKeyPackages", "FetchKeyPackages"],
    refusals: &["DevicesChanged", "Invalid", "TooLarge", "NoKeyPackage", "NotFound", "Revoked"],
};

fn put_list(list: &Body) -> Request {
    Request::PutDeviceList(PutDeviceList { list: list.clone() })
}

fn fetch(id: u8, person: &Person) -> Request {
    let (id, account) = (RequestId([id; 16]), person.account());
    Request::FetchKeyPackages(FetchKeyPackages { id, account, suite: Suite::XWing })
}

fn put(packages: &[(&str, bool)]) -> Request {
    let package = |(text, last_resort): &(&str, bool)| {
        let (suite, last_resort) = (Suite::XWing, *last_resort);
        KeyPackageUpload { suite, last_resort, body: body(text.as_bytes()) }
    };
    Request::PutKeyPackages(PutKeyPackages { packages: packages.iter().map(package).collect() })
}

async fn given(met: &mut Met, client: &mut Client, request: Request) -> Vec<Body> {
    match met.ask(client, request).await {
        Answer::KeyPackages(packages) => packages.into_iter().map(|package| package.body).collect(),
        other => panic!("no key packages: {other:?}"),
    }
}

#[tokio::test]
async fn a_device_list_follows_another_and_key_packages_are_given_once() {
    let (mut met, relay) = (Met::default(), Running::start(VIA).await);
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (mut a, mut b) = (relay.join(&alice).await, relay.join(&bob).await);
    let second = device_of(&bob, "second");
    let both = list_after(&bob, &bob.list(), &[&bob, &second]);
    for _ in 0..2 {
        met.done(&mut b, put_list(&both)).await;
    }
    let rival = list_after(&bob, &bob.list(), &[&device_of(&bob, "rival")]);
    let changed = Refusal::DevicesChanged(DevicesChanged { account: bob.account(), version: 2 });
    met.refused(&mut b, put_list(&rival), changed).await;
    met.refused(&mut b, put_list(&alice.list()), Refusal::Invalid(Plain {})).await;
    met.refused(&mut b, put(&[("x", false); 26]), Refusal::TooLarge(TooLarge { limit: 25 })).await;

    met.refused(&mut a, fetch(1, &bob), Refusal::NoKeyPackage(Plain {})).await;
    met.refused(&mut a, fetch(1, &Person::new("nobody")), Refusal::NotFound(Plain {})).await;
    let mut s = relay.login(&second, 0).await;
    for (client, last) in [(&mut b, "last of bob"), (&mut s, "last of second")] {
        let answer = met.ask(client, put(&[(last, true)])).await;
        assert!(matches!(answer, Answer::KeyPackageCounts(counts) if counts[0].last_resort));
    }
    met.ask(&mut b, put(&[("first of bob", false)])).await;
    let first = given(&mut met, &mut a, fetch(1, &bob)).await;
    assert_eq!(first, [body(b"first of bob"), body(b"last of second")]);
    let relay = relay.restart().await;
    let (mut a, mut b) = (relay.login(&alice, 0).await, relay.login(&bob, 0).await);
    assert_eq!(given(&mut met, &mut a, fetch(1, &bob)).await, first, "the same request, the same answer");
    let next = given(&mut met, &mut a, fetch(2, &bob)).await;
    assert_eq!(next, [body(b"last of bob"), body(b"last of second")]);

    met.done(&mut b, put_list(&list_after(&bob, &both, &[&bob]))).await;
    let mut gone = relay.connect().await;
    let transcript = gone.transcript().await;
    gone.send(&ClientFrame::Login(second.login(&transcript))).await;
    let revoked = Refusal::Revoked(Plain {});
    assert_eq!(gone.logged_in().await.err().as_ref(), Some(&revoked));
    met.note(&revoked);
    assert_eq!(given(&mut met, &mut a, fetch(3, &bob)).await, [body(b"last of bob")]);
    met.tells(&DEVICES);
}

pub const MEETINGS: Chapter = Chapter {
    requests: &["OpenMeeting", "Tell", "Upload", "Unknown"],
    refusals: &["NotFound", "Busy", "Invalid", "TooLarge", "Unsupported"],
};

#[tokio::test]
async fn meetings_uploads_and_what_a_relay_does_not_know() {
    let mut met = Met::default();
    let blobs = BlobLimits { quota: 100_000, most: 60_000 };
    let relay = Running::with(VIA, |options| options.blobs = blobs).await;
    let mut host = relay.join(&Person::new("alice")).await;
    let meeting = MeetingId([7; 16]);
    let tell = |text: &[u8]| Request::Tell(Tell { meeting, body: body(text) });
    met.refused(&mut host, tell(b"too early"), Refusal::NotFound(Plain {})).await;
    met.done(&mut host, Request::OpenMeeting(OpenMeeting { meeting })).await;
    let mut guests = [relay.connect().await, relay.connect().await];
    for (guest, text) in guests.iter_mut().zip([b"first", b"other"]) {
        guest.transcript().await;
        guest.send(&ClientFrame::Meet(Meet { meeting, body: body(text) })).await;
        // The host has heard the first one before the other one tries.
        guest.send(&ClientFrame::Ping(aside_protocol::frame::Ping {})).await;
        match guest.receive().await {
            Some(RelayFrame::Pong(_)) => {}
            Some(RelayFrame::LoginRefused(refusal)) => {
                assert_eq!(refusal, Refusal::Busy(RetryAfter { retry_after_ms: 2_000 }));
                met.note(&refusal);
            }
            other => panic!("neither heard nor refused: {other:?}"),
        }
    }
    assert_eq!(host.other().await, Some(RelayFrame::Met(Meet { meeting, body: body(b"first") })));
    met.done(&mut host, tell(b"welcome")).await;
    met.refused(&mut host, tell(b""), Refusal::Invalid(Plain {})).await;

    let upload = |size| Request::Upload(Upload { blob: BlobRef { id: Hash::of(b"blob"), size } });
    met.refused(&mut host, upload(60_001), Refusal::TooLarge(TooLarge { limit: 60_000 })).await;
    assert!(matches!(met.ask(&mut host, upload(60_000)).await, Answer::Uploading(leave) if leave.offset == 0));
    met.refused(&mut host, Request::Unknown(99), Refusal::Unsupported(Plain {})).await;
    met.tells(&MEETINGS);
}

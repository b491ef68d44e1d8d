//! The conformance story: what every log owes to whoever speaks to the relay. Each chapter is a test of its own and says which
//! requests and refusals it meets; `everything` sees that together they are all there are.
//!
//! It runs on the log that `logs` chooses, and says nothing of which one that is.

mod accounts;
mod cursors;
mod everything;
mod groups;
mod numbers;
mod retention;

use crate::client::{Client, Transport};
use crate::people::{Person, Running, chat_of, found, message};
use aside_protocol::device_list::{DeviceEntry, DeviceList, SignedDeviceList, hash_of};
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::RelayFrame;
use aside_protocol::request::{Answer, Envelopes, Range, Request, Sent};
use aside_protocol::{Body, ChatId, Millis, Pos, PublicKey, Refusal, Seq, codec};
use std::collections::BTreeSet;

/// The log does not know what carries the frames.
const VIA: Transport = Transport::Quic;

/// What one test meets, by the names of the protocol.
pub struct Chapter {
    pub requests: &'static [&'static str],
    pub refusals: &'static [&'static str],
}

/// What was met so far.
#[derive(Default)]
pub struct Met {
    requests: BTreeSet<&'static str>,
    refusals: BTreeSet<&'static str>,
}

impl Met {
    /// Asks, and notes what it was and whether it was refused.
    async fn ask(&mut self, client: &mut Client, request: Request) -> Answer {
        self.requests.insert(request.name());
        let answer = client.ask(request).await;
        if let Answer::Refused(refusal) = &answer {
            self.refusals.insert(refusal.name());
        }
        answer
    }

    /// Asks for what is stored in a chat's log.
    async fn sent(&mut self, client: &mut Client, request: Request) -> Sent {
        match self.ask(client, request).await {
            Answer::Sent(sent) => sent,
            other => panic!("not sent: {other:?}"),
        }
    }

    /// Asks for what is stored elsewhere.
    async fn done(&mut self, client: &mut Client, request: Request) {
        let answer = self.ask(client, request).await;
        assert!(matches!(answer, Answer::Done(_)), "not done: {answer:?}");
    }

    /// Asks for what must be refused.
    async fn refused(&mut self, client: &mut Client, request: Request, wanted: Refusal) {
        assert_eq!(self.ask(client, request).await, Answer::Refused(wanted));
    }

    /// Notes a refusal that was no answer to a request.
    fn note(&mut self, refusal: &Refusal) {
        self.refusals.insert(refusal.name());
    }

    /// What the relay holds of a chat for this device: numbers in the chat, and the oldest that is there for anybody.
    async fn held(&mut self, client: &mut Client, chat: ChatId) -> (Vec<u64>, u64) {
        let range = Range { chat, from: Seq(0), to: Seq(1_000) };
        let Answer::Envelopes(Envelopes { envelopes, first }) = self.ask(client, Request::Range(range)).await else {
            panic!("no envelopes");
        };
        (envelopes.iter().map(|envelope| envelope.seq.unwrap().0).collect(), first.0)
    }

    /// The chapter is told: it met what it says, no less and no more.
    fn tells(&self, chapter: &Chapter) {
        assert_eq!(self.requests, chapter.requests.iter().copied().collect(), "requests of the chapter");
        assert_eq!(self.refusals, chapter.refusals.iter().copied().collect(), "refusals of the chapter");
    }
}

/// Two people with a chat, and where it begins.
struct Pair {
    relay: Running,
    alice: Person,
    bob: Person,
    a: Client,
    b: Client,
    chat: ChatId,
    base: Seq,
}

impl Pair {
    async fn new() -> Self {
        let (relay, alice, bob) = (Running::start(VIA).await, Person::new("alice"), Person::new("bob"));
        let (mut a, b) = (relay.join(&alice).await, relay.join(&bob).await);
        let base = found(&mut a, &alice, &bob).await.seq;
        let chat = chat_of(&alice, &bob);
        Self { relay, alice, bob, a, b, chat, base }
    }

    /// The relay ends and starts again; both log in and attach at the cursors given.
    async fn restart(self, (a, b): (Pos, Pos)) -> Self {
        let Self { relay, alice, bob, chat, base, .. } = self;
        let relay = relay.restart().await;
        let (a, b) = (relay.login(&alice, a.0).await, relay.login(&bob, b.0).await);
        Self { relay, alice, bob, a, b, chat, base }
    }
}

/// The envelopes up to where delivery has caught up in every partition.
async fn caught_up(client: &mut Client) -> Vec<Envelope> {
    let (mut envelopes, mut behind) = (Vec::new(), client.welcome.positions.len());
    while behind > 0 {
        match client.next().await {
            Some(RelayFrame::Deliver(envelope)) => envelopes.push(envelope),
            Some(RelayFrame::CaughtUp(_)) => behind -= 1,
            other => panic!("no envelope but {other:?}"),
        }
    }
    envelopes
}

/// Acknowledges what a chat has delivered, and comes back once that is stored: acknowledgements go ahead of commands that
/// come after them. This one is refused, so it leaves no trace.
async fn acknowledge(client: &mut Client, chat: ChatId, pos: Pos) {
    client.ack(pos).await;
    let answer = client.ask(message(chat, 1_000_000, Seq(0), "beyond all numbers")).await;
    assert!(matches!(answer, Answer::Refused(Refusal::OutOfOrder(_) | Refusal::Stale(_))), "not asked: {answer:?}");
}

/// Another device of the same person.
fn device_of(person: &Person, name: &str) -> Person {
    let Person { key, device, .. } = Person::new(name);
    Person { name: person.name.clone(), root: person.root.clone(), key, device }
}

/// The version of a device list that follows another one.
fn list_after(person: &Person, before: &Body, devices: &[&Person]) -> Body {
    let signed: SignedDeviceList = codec::decode(&before.0).unwrap();
    let list: DeviceList = codec::decode(&signed.list.0).unwrap();
    let entry = |device: &&Person| {
        let key = PublicKey(device.key.verifying_key().to_bytes());
        list.device(&device.device).cloned().unwrap_or(DeviceEntry { device: device.device, key, added: Millis(2) })
    };
    let devices = devices.iter().map(entry).collect();
    let next = DeviceList { version: list.version + 1, previous: hash_of(&signed.list), devices, ..list };
    person.sign_list(&next)
}

//! A core in memory, and accounts with devices made from seeds.

use aside_protocol::device_list::{self, DeviceEntry, DeviceList, SignedDeviceList, Signer, signed_bytes};
use aside_protocol::envelope::Envelope;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Commit, Found, Origin, PutDeviceList, Send, Sent, Welcome};
use aside_protocol::{
    AccountId, Body, ChatId, DeviceId, Hash, LogId, Millis, N, Name, Pos, PublicKey, Refusal, Seq, Signature, codec,
};
use aside_relay_core::command::Registration;
use aside_relay_core::command_log::replay;
use aside_relay_core::{By, CatchUp, Command, Core, Delivery, Location, Outcome, Stamped};
use ed25519_dalek::{Signer as _, SigningKey};

/// Some time in 2026.
pub const START: Millis = Millis(1_790_000_000_000);
pub const INVITE: Hash = Hash([1; 32]);

pub struct World {
    pub core: Core,
    pub now: Millis,
    pub applied: Vec<Stamped>,
}

impl World {
    /// A relay with an invite that never ends.
    pub fn new() -> Self {
        Self::on(&Location::Memory)
    }

    pub fn on(location: &Location) -> Self {
        let mut world = Self { core: Core::open(location).unwrap(), now: START, applied: Vec::new() };
        world.apply(Command::Init { log: LogId([3; 16]) });
        world.apply(Command::CreateInvite { secret: INVITE, uses: 1000, valid: START.0 });
        world
    }

    pub fn apply(&mut self, command: Command) -> Outcome {
        let stamped = Stamped { time: self.now, command };
        self.applied.push(stamped.clone());
        self.core.apply(&[stamped], false).unwrap().remove(0)
    }

    pub fn register(&mut self, person: &Person) -> Answer {
        self.apply(Command::Register(person.registration())).answer
    }

    /// Registers people and gives each its further devices.
    pub fn with(people: &[&Person]) -> Self {
        let mut world = Self::new();
        people.iter().for_each(|person| world.settle(person));
        world
    }

    pub fn settle(&mut self, person: &Person) {
        assert!(matches!(self.register(person), Answer::Done(_)));
        if person.devices.len() > 1 {
            let answer = self.put_list(person, &person.list(2, &person.first_list()));
            assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
        }
    }

    pub fn put_list(&mut self, person: &Person, list: &Body) -> Answer {
        self.apply(Command::PutDeviceList(person.by(0), PutDeviceList { list: list.clone() })).answer
    }

    pub fn found(&mut self, one: &Person, other: &Person, incarnation: u64) -> Outcome {
        let request = founding(one, other, incarnation, "founding");
        self.apply(Command::Found(one.by(0), Hash::of(&request.body), request))
    }

    pub fn found_group(&mut self, by: By, request: Found) -> Outcome {
        self.apply(Command::Found(by, Hash::of(&request.body), request))
    }

    pub fn send(&mut self, by: By, chat: ChatId, n: u64, base: Seq, text: &str) -> Outcome {
        let body = body(text);
        self.apply(Command::Send(by, Hash::of(&body), Send { chat, n: N(n), base, body }))
    }

    pub fn commit(&mut self, by: By, commit: Commit) -> Outcome {
        self.apply(Command::Commit(by, Hash::of(&commit.body), commit))
    }

    pub fn ack(&mut self, device: DeviceId, pos: Pos) {
        self.apply(Command::Ack { device, pos });
    }

    /// Everything a device would catch up on after `cursor`, in pages of `most`.
    pub fn catch_up(&self, device: DeviceId, cursor: Pos, most: usize) -> Vec<Envelope> {
        let (mut catch_up, mut all) = (CatchUp::new(device, cursor), Vec::new());
        loop {
            let page = catch_up.next_page(&self.core.view(), most, usize::MAX).unwrap();
            if let Some(done) = page.done_up_to {
                assert!(page.envelopes.is_empty());
                assert_eq!(done, self.core.view().head().unwrap().max(cursor));
                return all;
            }
            all.extend(page.envelopes);
        }
    }

    /// The same commands, batched otherwise, lead to the same state.
    pub fn check_replay(&self) {
        for batch in [1, 3, 10_000] {
            assert_eq!(replay(&self.applied, batch).unwrap(), self.core.state_hash().unwrap());
        }
    }

    pub fn seqs(&self, device: DeviceId) -> Vec<u64> {
        self.catch_up(device, Pos(0), 10).iter().filter_map(|envelope| envelope.seq).map(|seq| seq.0).collect()
    }
}

pub struct Person {
    pub name: Name,
    pub root: SigningKey,
    pub devices: Vec<(DeviceId, SigningKey)>,
}

impl Person {
    pub fn new(name: &str, devices: usize) -> Self {
        let seed = |what: &str, index: usize| Hash::labelled(what, &[name.as_bytes(), &index.to_be_bytes()]).0;
        let device = |index| {
            let id = DeviceId::from_slice(&seed("device", index)[..16]).unwrap();
            (id, SigningKey::from_bytes(&seed("key", index)))
        };
        Self {
            name: Name::new(name).unwrap(),
            root: SigningKey::from_bytes(&seed("root", 0)),
            devices: (0..devices).map(device).collect(),
        }
    }

    pub fn by(&self, device: usize) -> By {
        By { device: self.devices[device].0, account: self.account() }
    }

    pub fn device(&self, index: usize) -> DeviceId {
        self.devices[index].0
    }

    pub fn root(&self) -> PublicKey {
        PublicKey(self.root.verifying_key().to_bytes())
    }

    pub fn account(&self) -> AccountId {
        AccountId::of(&self.root())
    }

    pub fn registration(&self) -> Registration {
        Registration { invite: INVITE, name: self.name.clone(), root: self.root(), list: self.first_list() }
    }

    pub fn first_list(&self) -> Body {
        self.sign(1, Hash([0; 32]), &self.devices[..1])
    }

    /// A version with all devices, after `before`.
    pub fn list(&self, version: u64, before: &Body) -> Body {
        self.list_of(version, before, &self.devices)
    }

    pub fn list_of(&self, version: u64, before: &Body, devices: &[(DeviceId, SigningKey)]) -> Body {
        let signed: SignedDeviceList = codec::decode(&before.0).unwrap();
        self.sign(version, device_list::hash_of(&signed.list), devices)
    }

    /// A version signed by one of the devices instead of the root.
    pub fn list_by_device(&self, version: u64, before: &Body, devices: &[(DeviceId, SigningKey)], by: usize) -> Body {
        let signed: SignedDeviceList = codec::decode(&self.list_of(version, before, devices).0).unwrap();
        let (device, key) = &self.devices[by];
        let signature = Signature(key.sign(&signed_bytes(&signed.list)).to_bytes());
        Body(codec::encode(&SignedDeviceList { signer: Signer::Device(*device), signature, ..signed }))
    }

    fn sign(&self, version: u64, previous: Hash, devices: &[(DeviceId, SigningKey)]) -> Body {
        let entry = |(device, key): &(DeviceId, SigningKey)| DeviceEntry {
            device: *device,
            key: PublicKey(key.verifying_key().to_bytes()),
            added: Millis(0),
        };
        let devices = devices.iter().map(entry).collect();
        let list = codec::encode(&DeviceList { account: self.account(), version, previous, devices });
        let signature = Signature(self.root.sign(&signed_bytes(&list)).to_bytes());
        Body(codec::encode(&SignedDeviceList { list: Body(list), signer: Signer::Root(Plain {}), signature }))
    }
}

pub fn chat_of(one: &Person, other: &Person) -> ChatId {
    ChatId::direct(&one.account(), &other.account())
}

/// A founding by the first device of `one`, with a welcome for all others.
pub fn founding(one: &Person, other: &Person, incarnation: u64, text: &str) -> Found {
    let mut devices: Vec<DeviceId> = one.devices.iter().map(|(device, _)| *device).collect();
    if one.account() != other.account() {
        devices.extend(other.devices.iter().map(|(device, _)| *device));
    }
    let to: Vec<DeviceId> = devices[1..].to_vec();
    Found {
        chat: chat_of(one, other),
        accounts: vec![one.account(), other.account()],
        incarnation,
        devices,
        body: body(text),
        welcome: (!to.is_empty()).then(|| Welcome { to, body: body("welcome"), blob: None }),
        origin: None,
    }
}

/// A group's founding by the first of the devices, with a welcome for all others.
pub fn group_founding(origin: Origin, devices: &[DeviceId], incarnation: u64, text: &str) -> Found {
    let to: Vec<DeviceId> = devices[1..].to_vec();
    Found {
        chat: ChatId::group(&origin.account, &origin.nonce),
        accounts: vec![],
        incarnation,
        devices: devices.to_vec(),
        body: Body::from(Hash::of(text.as_bytes()).0.to_vec()),
        welcome: (!to.is_empty()).then(|| Welcome { to, body: body("welcome"), blob: None }),
        origin: Some(origin),
    }
}

/// Whom a delivery is for.
pub fn devices(delivery: &Delivery) -> Vec<DeviceId> {
    delivery.to.iter().copied().collect()
}

pub fn commit(chat: ChatId, n: u64, base: Seq, add: &[DeviceId], remove: &[DeviceId]) -> Commit {
    let welcome = (!add.is_empty()).then(|| Welcome { to: add.to_vec(), body: body("welcome"), blob: None });
    let (add, remove) = (add.to_vec(), remove.to_vec());
    Commit { chat, n: N(n), base, body: body(&format!("commit {n} {base}")), add, remove, welcome, blob: None }
}

pub fn body(text: &str) -> Body {
    Body::from(text.as_bytes().to_vec())
}

pub fn sent(outcome: &Outcome) -> Sent {
    match &outcome.answer {
        Answer::Sent(sent) => *sent,
        other => panic!("not sent: {other:?}"),
    }
}

pub fn refused(answer: &Answer) -> Refusal {
    match answer {
        Answer::Refused(refusal) => refusal.clone(),
        other => panic!("not refused: {other:?}"),
    }
}

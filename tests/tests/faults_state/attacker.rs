//! A device that logs in as the rules ask, and then says what no client of ours would. Speaks frames, not commands.

use aside_crypto::lists::first_list;
use aside_crypto::rejoin::sign_rejoin;
use aside_crypto::{DeviceKey, RecoveryPhrase};
use aside_protocol::device_list::verify_chain;
use aside_protocol::frame::{Asked, Attach, ClientFrame, Register, RelayFrame};
use aside_protocol::invite::Invite;
use aside_protocol::rejoin::{RejoinRequest, SeqRange};
use aside_protocol::request::*;
use aside_protocol::{AccountId, Body, ChatId, DeviceId, Millis, N, Name, Refusal, Seq};
use aside_store::{ProfileFolder, Store, StoreError};
use aside_tests::Client;
use aside_transport::{Link, LinkEvent, Target, dial};
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A logged-in device with its account.
pub struct Attacker {
    pub account: AccountId,
    pub device: DeviceId,
    key: DeviceKey,
    link: Link,
    next: u64,
}

/// Another account's identity and devices.
pub struct Victim {
    pub account: AccountId,
    pub devices: Vec<DeviceId>,
}

pub fn random<const LEN: usize>() -> [u8; LEN] {
    let mut bytes = [0; LEN];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// Bytes that mean nothing.
pub fn garbage(len: usize) -> Body {
    let mut bytes = vec![0; len];
    getrandom::fill(&mut bytes).unwrap();
    Body::from(bytes)
}

impl Attacker {
    /// A new account.
    pub async fn register(invite: &str, name: &str) -> Self {
        let invite = Invite::from_link(invite).unwrap();
        let root = RecoveryPhrase::from_entropy(&random()).unwrap().root_key();
        let (key, device) = (DeviceKey::from_seed(&random()), DeviceId(random()));
        let list = first_list(&root, device, key.public(), Millis(1));
        let target = Target { addresses: invite.addresses, pin: invite.pin, mode: invite.mode };
        let greeted = dial(&target).await.unwrap();
        let signed = greeted.transcript().registration_signs(&invite.secret.0, name, &root.public(), &list);
        let register = Register {
            secret: invite.secret,
            name: Name::new(name).unwrap(),
            root: root.public(),
            list,
            signature: key.sign(&signed),
        };
        let (link, _) = greeted.register(register).await.unwrap();
        Self { account: root.account(), device, key, link, next: 0 }
    }

    /// The device of a real client, taken over with its keys; no command of that client may be running.
    pub async fn as_device_of(client: &Client) -> Self {
        let folder = ProfileFolder::new(client.home().join("profiles/default"));
        let mut store = Store::open(&folder).unwrap();
        let profile = store.read::<_, StoreError>(|tx| tx.profile()).unwrap().unwrap();
        drop(store);
        let relay = profile.relay;
        let target = Target { addresses: relay.addresses, pin: relay.pin, mode: relay.mode };
        let key = DeviceKey::from_seed(&profile.seed);
        let greeted = dial(&target).await.unwrap();
        let signature = key.sign(&greeted.transcript().device_signs(&profile.device));
        let (link, _) = greeted.login(profile.device, signature).await.unwrap();
        link.frames.send(ClientFrame::Attach(Attach { cursors: Vec::new() })).await.unwrap();
        Self { account: profile.account, device: profile.device, key, link, next: 0 }
    }

    /// Asks, and waits for the answer; everything else the relay says is skipped.
    pub async fn ask(&mut self, request: Request) -> Answer {
        self.next += 1;
        let id = self.next;
        self.link.frames.send(ClientFrame::Request(Asked { id, request })).await.unwrap();
        loop {
            match timeout(PATIENCE, self.link.events.recv()).await.expect("an answer in time") {
                Some(LinkEvent::Frame(RelayFrame::Answer(answered))) if answered.id == id => return answered.answer,
                Some(LinkEvent::Frame(_)) => {}
                other => panic!("the relay closed: {other:?}"),
            }
        }
    }

    pub async fn look_up(&mut self, name: &str) -> Victim {
        let who = Who::Name(Name::new(name).unwrap());
        let Answer::Account(record) = self.ask(Request::Lookup(Lookup { who, from_version: 1 })).await else {
            panic!("no account")
        };
        let list = verify_chain(&record.root, None, &record.lists).unwrap().unwrap().list;
        let devices = list.devices.iter().map(|device| device.device).collect();
        Victim { account: AccountId::of(&record.root), devices }
    }

    pub fn chat_with(&self, victim: &Victim) -> ChatId {
        ChatId::direct(&self.account, &victim.account)
    }

    /// Founds an incarnation of the direct chat with a commit and a welcome of the caller's making.
    pub async fn found(&mut self, victim: &Victim, incarnation: u64, body: Body, welcome: Body) -> Answer {
        let mut devices = victim.devices.clone();
        devices.push(self.device);
        let found = Found {
            chat: self.chat_with(victim),
            accounts: vec![self.account, victim.account],
            incarnation,
            devices,
            body,
            welcome: Some(Welcome { to: victim.devices.clone(), body: welcome, blob: None }),
            origin: None,
        };
        self.ask(Request::Found(found)).await
    }

    pub async fn routing(&mut self, chat: ChatId) -> Routed {
        match self.ask(Request::Routing(Routing { chat })).await {
            Answer::Routing(routed) => routed,
            other => panic!("no routing: {other:?}"),
        }
    }

    /// Sends bytes as a message under the next number, whatever it is.
    pub async fn message(&mut self, chat: ChatId, body: Body) -> Sent {
        let base = self.routing(chat).await.base;
        let mut n = N(1 << 40);
        loop {
            match self.ask(Request::Send(Send { chat, n, base, body: body.clone() })).await {
                Answer::Sent(sent) => return sent,
                Answer::Refused(Refusal::OutOfOrder(order)) => n = order.expected,
                other => panic!("not sent: {other:?}"),
            }
        }
    }

    /// Sends bytes as a commit that changes no routing.
    pub async fn commit(&mut self, chat: ChatId, n: N, body: Body) -> Answer {
        let base = self.routing(chat).await.base;
        let commit = Commit { chat, n, base, body, add: Vec::new(), remove: Vec::new(), welcome: None, blob: None };
        self.ask(Request::Commit(commit)).await
    }

    pub async fn receipt(&mut self, chat: ChatId, base: Seq, body: Body) -> Answer {
        self.ask(Request::Receipt(Receipt { chat, base, body })).await
    }

    pub async fn rejoin(&mut self, chat: ChatId, body: Body) -> Answer {
        self.ask(Request::Rejoin(Rejoin { chat, body })).await
    }

    /// A request to be added again that is signed well and says nonsense.
    pub fn signed_nonsense(&self, chat: ChatId) -> Body {
        let missing =
            vec![SeqRange { from: Seq(u64::MAX >> 1), to: Seq(0) }, SeqRange { from: Seq(0), to: Seq(u64::MAX >> 1) }];
        let request =
            RejoinRequest { chat, incarnation: u64::MAX, device: self.device, key_package: garbage(900), missing };
        sign_rejoin(&request, &self.key)
    }

    pub async fn upload(&mut self, body: Body) -> Answer {
        let packages = vec![KeyPackageUpload { suite: Suite::XWing, last_resort: true, body }];
        self.ask(Request::PutKeyPackages(PutKeyPackages { packages })).await
    }

    pub async fn close(self) {
        self.link.close().await;
    }
}

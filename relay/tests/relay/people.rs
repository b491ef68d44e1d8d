//! A relay in this process, and accounts with one device each, made from seeds.

use crate::client::{Client, Transport, Unauthenticated};
use crate::logs;
use aside_protocol::device_list::{DeviceEntry, DeviceList, SignedDeviceList, Signer, signed_bytes};
use aside_protocol::frame::{Login, Register};
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::login::Transcript;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Found, Request, Send, Sent, Welcome};
use aside_protocol::{AccountId, Body, ChatId, DeviceId, Hash, Millis, N, Name, PublicKey, Seq, Signature, codec};
use aside_relay::{Options, Server};
use ed25519_dalek::{Signer as _, SigningKey};
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;

pub struct Running {
    pub via: Transport,
    pub server: Server,
    pub folder: TempDir,
}

impl Running {
    pub async fn start(via: Transport) -> Self {
        Self::with(via, |_| {}).await
    }

    pub async fn with(via: Transport, adjust: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on(folder, via, adjust).await
    }

    /// Alone, whichever log the tests are about.
    pub async fn alone(via: Transport) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::of(folder, via, |_| {}).await
    }

    pub async fn on(folder: TempDir, via: Transport, adjust: impl FnOnce(&mut Options)) -> Self {
        let cluster = logs::cluster_of(&folder.path().join("data"));
        let adjust = |options: &mut Options| {
            options.cluster = cluster;
            adjust(options);
        };
        Self::of(folder, via, adjust).await
    }

    async fn of(folder: TempDir, via: Transport, adjust: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(folder.path().join("data"), SocketAddr::from(([127, 0, 0, 1], 0)));
        adjust(&mut options);
        let server = Server::start(options).await.unwrap();
        Self { via, server, folder }
    }

    pub async fn restart(self) -> Self {
        self.server.stop().await;
        Self::on(self.folder, self.via, |_| {}).await
    }

    pub async fn invite(&self) -> Invite {
        self.server.invite(100, Duration::from_secs(3600)).await.unwrap()
    }

    pub async fn connect(&self) -> Unauthenticated {
        let invite = self.server.invite(1, Duration::from_secs(60)).await.unwrap();
        Unauthenticated::connect(&invite, self.via).await
    }

    /// Registers and attaches.
    pub async fn join(&self, person: &Person) -> Client {
        let invite = self.invite().await;
        let mut client = Unauthenticated::connect(&invite, self.via).await.register(person, invite.secret).await;
        client.attach_at(0).await;
        client
    }

    /// Logs in and attaches at the cursor given.
    pub async fn login(&self, person: &Person, cursor: u64) -> Client {
        let mut client = self.connect().await.login(person).await;
        client.attach_at(cursor).await;
        client
    }
}

pub struct Person {
    pub name: Name,
    pub root: SigningKey,
    pub key: SigningKey,
    pub device: DeviceId,
}

impl Person {
    pub fn new(name: &str) -> Self {
        let seed = |what: &str| Hash::labelled(what, &[name.as_bytes()]).0;
        let device = DeviceId::from_slice(&seed("device")[..16]).unwrap();
        let (root, key) = (SigningKey::from_bytes(&seed("root")), SigningKey::from_bytes(&seed("key")));
        Self { name: Name::new(name).unwrap(), root, key, device }
    }

    pub fn root(&self) -> PublicKey {
        PublicKey(self.root.verifying_key().to_bytes())
    }

    pub fn account(&self) -> AccountId {
        AccountId::of(&self.root())
    }

    pub fn list(&self) -> Body {
        let entry =
            DeviceEntry { device: self.device, key: PublicKey(self.key.verifying_key().to_bytes()), added: Millis(1) };
        self.sign_list(&DeviceList {
            account: self.account(),
            version: 1,
            previous: Hash([0; 32]),
            devices: vec![entry],
        })
    }

    pub fn sign_list(&self, list: &DeviceList) -> Body {
        let list = codec::encode(list);
        let signature = Signature(self.root.sign(&signed_bytes(&list)).to_bytes());
        Body(codec::encode(&SignedDeviceList { list: Body(list), signer: Signer::Root(Plain {}), signature }))
    }

    pub fn login(&self, transcript: &Transcript) -> Login {
        let signature = Signature(self.key.sign(&transcript.device_signs(&self.device)).to_bytes());
        Login { device: self.device, signature }
    }

    pub fn registration(&self, transcript: &Transcript, secret: InviteSecret) -> Register {
        let (root, list) = (self.root(), self.list());
        let signed = transcript.registration_signs(&secret.0, self.name.as_str(), &root, &list);
        let signature = Signature(self.key.sign(&signed).to_bytes());
        Register { secret, name: self.name.clone(), root, list, signature }
    }
}

/// The direct chat of two people.
pub fn chat_of(one: &Person, other: &Person) -> ChatId {
    ChatId::direct(&one.account(), &other.account())
}

/// What founds the chat of two people, with a welcome for the other.
pub fn founding(founder: &Person, other: &Person) -> Found {
    Found {
        chat: chat_of(founder, other),
        accounts: vec![founder.account(), other.account()],
        incarnation: 1,
        devices: vec![founder.device, other.device],
        body: body(b"founding"),
        welcome: Some(Welcome { to: vec![other.device], body: body(b"welcome"), blob: None }),
        origin: None,
    }
}

/// Founds it.
pub async fn found(client: &mut Client, founder: &Person, other: &Person) -> Sent {
    let request = Request::Found(founding(founder, other));
    match client.ask(request).await {
        Answer::Sent(sent) => sent,
        other => panic!("not founded: {other:?}"),
    }
}

pub fn message(chat: ChatId, n: u64, base: Seq, text: &str) -> Request {
    Request::Send(Send { chat, n: N(n), base, body: body(text.as_bytes()) })
}

pub fn body(bytes: &[u8]) -> Body {
    Body::from(bytes.to_vec())
}

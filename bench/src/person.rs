//! An account with one device, made afresh: keys, device list, and what it signs.

use crate::error::BenchError;
use aside_crypto::lists::first_list;
use aside_crypto::{DeviceKey, Me, Mls, RootKey, Scope};
use aside_protocol::frame::{Login, Register};
use aside_protocol::invite::InviteSecret;
use aside_protocol::login::Transcript;
use aside_protocol::request::{Found, Origin, Suite, Welcome};
use aside_protocol::{AccountId, Body, ChatId, DeviceId, GroupNonce, Millis, Name};
use aside_store::Store;

/// Bytes of a founding and of a welcome; the relay reads neither.
const HANDSHAKE: usize = 2_000;

/// Somebody.
pub struct Person {
    name: Name,
    root: RootKey,
    seed: [u8; 32],
    device: DeviceId,
}

/// What others know of somebody.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The account.
    pub account: AccountId,
    /// Its one device.
    pub device: DeviceId,
}

impl Person {
    /// With keys from the system and a name that holds `number`.
    pub fn new(number: usize) -> Result<Self, BenchError> {
        Self::with_device(number, DeviceId(random()?), random()?)
    }

    fn with_device(number: usize, device: DeviceId, seed: [u8; 32]) -> Result<Self, BenchError> {
        let name = Name::new(format!("bench-{number}")).map_err(|error| BenchError::Misbehaved(error.to_string()))?;
        let root = RootKey::from_entropy(&random::<32>()?);
        Ok(Self { name, root, seed, device })
    }

    /// What its device needs to log in from another process of ours.
    pub fn device(&self) -> ([u8; 16], [u8; 32]) {
        (self.device.0, self.seed)
    }

    /// A registered device; of its account nothing more is known.
    pub fn of_device((device, seed): ([u8; 16], [u8; 32])) -> Result<Self, BenchError> {
        Self::with_device(0, DeviceId(device), seed)
    }

    fn key(&self) -> DeviceKey {
        DeviceKey::from_seed(&self.seed)
    }

    /// A key package for groups, whose private half is kept nowhere.
    pub fn key_package(&self, mls: &Mls, nowhere: &mut Store) -> Result<Body, BenchError> {
        let me = Me { root: self.root.public(), device: self.device, key: self.key() };
        // What is read is undone.
        nowhere.read(|tx| {
            let made = Scope::new(mls, &tx.mls(), &me).key_package(Suite::XWing, false, Millis::MAX);
            made.map_err(|error| BenchError::Client(error.into()))
        })
    }

    /// What others know.
    pub fn known(&self) -> Known {
        Known { account: self.root.account(), device: self.device }
    }

    /// The registration frame for a connection.
    pub fn registration(&self, transcript: &Transcript, secret: InviteSecret) -> Register {
        let root = self.root.public();
        let list = first_list(&self.root, self.device, self.key().public(), Millis(1));
        let signed = transcript.registration_signs(&secret.0, self.name.as_str(), &root, &list);
        Register { secret, name: self.name.clone(), root, list, signature: self.key().sign(&signed) }
    }

    /// The login frame for a connection.
    pub fn login(&self, transcript: &Transcript) -> Login {
        Login { device: self.device, signature: self.key().sign(&transcript.device_signs(&self.device)) }
    }
}

/// The founding of a chat of two people.
pub fn founding(founder: Known, other: Known) -> Result<Found, BenchError> {
    let accounts = vec![founder.account, other.account];
    let devices = vec![founder.device, other.device];
    let welcome = Some(Welcome { to: vec![other.device], body: random_body(HANDSHAKE)?, blob: None });
    let chat = ChatId::direct(&founder.account, &other.account);
    Ok(Found { chat, accounts, incarnation: 1, devices, body: random_body(HANDSHAKE)?, welcome, origin: None })
}

/// The founding of a group by its first member, with one nonce.
pub fn group_founding(members: &[Known], nonce: GroupNonce) -> Result<Found, BenchError> {
    let Some((founder, others)) = members.split_first() else {
        return Err(BenchError::Failed("a group has a founder".into()));
    };
    let to = others.iter().map(|known| known.device).collect();
    let origin = Origin { account: founder.account, nonce };
    Ok(Found {
        chat: ChatId::group(&origin.account, &origin.nonce),
        accounts: Vec::new(),
        incarnation: 1,
        devices: members.iter().map(|known| known.device).collect(),
        body: random_body(32)?,
        welcome: Some(Welcome { to, body: random_body(HANDSHAKE)?, blob: None }),
        origin: Some(origin),
    })
}

/// Random bytes as a body.
pub fn random_body(length: usize) -> Result<Body, BenchError> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(Body::from(bytes))
}

/// Random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], BenchError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

//! Linking a device (rules `LNK-*`): the code a person carries from one device to another, and what the two say when they
//! meet. Seals nothing: that is done by who has the keys.

use crate::device_list::DeviceEntry;
use crate::limits::MAX_OFFERS;
use crate::login::Mode;
use crate::{AccountId, Body, DeviceId, Hash, MeetingId, Name, PublicKey, Signature, codec};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What every linking code begins with.
pub const PREFIX: &str = "aside://link/";

/// Longest name of a machine in bytes; longer ones are cut by who shows them.
pub const MAX_MACHINE: usize = 128;

/// What both devices know and the relay does not: 256 random bits. Not shown in `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSecret(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret(…)")
    }
}

/// The content of a linking code (rule `LNK-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCode {
    /// `host:port` of each node of the relay, in order of preference.
    pub addresses: Vec<String>,
    /// [`crate::login::pin`] of the relay's identity key.
    pub pin: Hash,
    /// Where TLS ends.
    pub mode: Mode,
    /// The account that the new device is to belong to.
    pub account: AccountId,
    /// Where the two devices meet.
    pub meeting: MeetingId,
    /// What they know each other by.
    pub secret: LinkSecret,
}

/// Why a text is not a linking code; shown to people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCode {
    /// It does not begin like one.
    #[error("a linking code begins with {PREFIX}; get one with aside device add on a device of your account")]
    NotACode,
    /// It is cut short or altered.
    #[error("the linking code is damaged; copy it again in one piece")]
    Damaged,
}

impl LinkCode {
    /// The code as a person carries it.
    pub fn to_link(&self) -> String {
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&codec::encode(self)))
    }

    /// Reads a code; surrounding white space is ignored.
    pub fn from_link(link: &str) -> Result<Self, InvalidCode> {
        let coded = link.trim().strip_prefix(PREFIX).ok_or(InvalidCode::NotACode)?;
        let bytes = BASE64URL_NOPAD.decode(coded.as_bytes()).map_err(|_| InvalidCode::Damaged)?;
        let code: Self = codec::decode(&Bytes::from(bytes)).map_err(|_| InvalidCode::Damaged)?;
        let sound = (1..=MAX_OFFERS).contains(&code.addresses.len())
            && code.addresses.iter().all(|address| crate::invite::is_address(address));
        if sound { Ok(code) } else { Err(InvalidCode::Damaged) }
    }
}

/// A fresh X25519 public key, which begins a handshake (rule `LNK-2`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkKey {
    /// The key.
    #[serde(with = "serde_bytes")]
    pub key: [u8; 32],
}

/// The host's answer: its own key, and the first thing it says under both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkAnswer {
    /// The host's X25519 public key.
    #[serde(with = "serde_bytes")]
    pub key: [u8; 32],
    /// A sealed [`HostWord`].
    pub sealed: Body,
}

crate::wire_enum! {
    /// What two devices say to each other in a meeting, in this order.
    pub enum LinkMessage {
        /// The guest's first.
        0 = Begin(LinkKey),
        /// The host's first.
        1 = Answer(LinkAnswer),
        /// Whatever follows, sealed: a [`NewDevice`] from the guest, [`HostWord`]s from the host.
        2 = Sealed(Body),
    }
}

/// The device that wants to be linked, as it says itself (rule `LNK-4`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDevice {
    /// The id it chose.
    pub device: DeviceId,
    /// Its key.
    pub key: PublicKey,
    /// What its owner calls the machine: a word for people, which proves nothing.
    pub machine: String,
    /// By its key, over [`new_device_signs`]: it has the private half.
    pub signature: Signature,
}

impl NewDevice {
    /// Whether this is the device that a list's entry is about.
    pub fn is(&self, entry: &DeviceEntry) -> bool {
        entry.device == self.device && entry.key == self.key
    }
}

/// The bytes a new device signs. `binding` is the hash of the handshake, so a signature is good in it alone.
pub fn new_device_signs(binding: &Hash, device: &DeviceId, key: &PublicKey, machine: &str) -> Vec<u8> {
    Hash::labelled("aside/1 link device", &[&binding.0, &device.0, &key.0, machine.as_bytes()]).0.to_vec()
}

/// Who answers a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostIs {
    /// The account's name.
    pub name: Name,
    /// What its owner calls the host's machine.
    pub machine: String,
}

/// The new device is in the account's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// The account's name.
    pub name: Name,
    /// Its root key; the code names its hash.
    pub root: PublicKey,
    /// The version of the device list that has the new device.
    pub list_version: u64,
    /// That version's hash.
    pub list_hash: Hash,
    /// How many messages of history will follow, about; none: the user wants none there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<u64>,
}

crate::wire_code! {
    /// Why a guest is not linked.
    pub enum NotLinked {
        /// The user said no.
        0 = Refused,
        /// The account has as many devices as it may have.
        1 = TooMany,
        /// What the guest said of itself does not hold.
        2 = Invalid,
        /// The id or the key was used before.
        3 = Used,
    }
}

crate::wire_enum! {
    /// What the host says, sealed.
    pub enum HostWord {
        /// First: who it is. The user is asked now.
        0 = Host(HostIs),
        /// The guest is in.
        1 = Linked(Linked),
        /// The guest is not.
        2 = NotLinked(NotLinked),
    }
}

/// What keys, signatures and additional data of a handshake are bound to (rule `LNK-3`).
pub fn binding(code: &LinkCode, guest: &[u8; 32], host: &[u8; 32]) -> Hash {
    Hash::labelled("aside/1 link", &[&code.meeting.0, &code.account.0, &code.pin.0, guest, host])
}

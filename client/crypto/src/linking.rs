//! The handshake of two devices that meet to link one of them (rules `LNK-*`): X25519 mixed with the code's secret.
//!
//! Two pure machines, one type a state: keys come in as seeds, messages go in and out as bytes. Whoever has only what the
//! relay sees, or only an old code, gets nowhere; nothing of one handshake is good in another.

use crate::DeviceKey;
use crate::hkdf_label::derive;
use aside_protocol::linking::{
    HostIs, HostWord, LinkAnswer, LinkCode, LinkKey, LinkMessage, MAX_MACHINE, NewDevice, binding, new_device_signs,
};
use aside_protocol::{Body, DeviceId, Hash, decode, encode};
use bytes::Bytes;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use x25519_dalek::{PublicKey as X25519Public, StaticSecret};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// What is sealed is filled up to a multiple of this, so that lengths say little.
const PADDING: usize = 256;

/// Why a meeting cannot go on. The other side's fault, or the relay's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not what comes next (rule `LNK-2`).
    #[error("the other device said something that does not belong here (LNK-2)")]
    OutOfPlace,
    /// A key under which nothing would be secret (rule `LNK-3`).
    #[error("the other device sent a key that is none (LNK-3)")]
    WeakKey,
    /// Sealed under other keys: it does not know this code's secret, or somebody stands in between.
    #[error(
        "the other device does not know this code: it is an older one, or somebody stands in between; make a new code \
         with aside device add"
    )]
    WrongSecret,
    /// What it says of itself does not hold (rule `LNK-4`).
    #[error("the new device did not prove that it has its key (LNK-4)")]
    BadProof,
}

/// The keys of one handshake. `Debug` shows nothing.
struct Keys {
    binding: Hash,
    to_host: Zeroizing<[u8; 32]>,
    to_guest: Zeroizing<[u8; 32]>,
}

/// One direction: a key and how much was said under it.
struct Direction {
    cipher: XChaCha20Poly1305,
    binding: Hash,
    count: u64,
}

impl Keys {
    fn agree(own: &StaticSecret, other: [u8; 32], code: &LinkCode, binding: Hash) -> Result<Self, LinkError> {
        let shared = own.diffie_hellman(&X25519Public::from(other));
        if !shared.was_contributory() {
            return Err(LinkError::WeakKey);
        }
        let mut both = Zeroizing::new([0; 64]);
        both[..32].copy_from_slice(shared.as_bytes());
        both[32..].copy_from_slice(&code.secret.0);
        let key = |label| derive(both.as_slice(), label, &[&binding.0]);
        Ok(Self { binding, to_host: key("aside/1 link to host"), to_guest: key("aside/1 link to guest") })
    }

    fn directions(&self) -> (Direction, Direction) {
        let direction =
            |key: &[u8; 32]| Direction { cipher: XChaCha20Poly1305::new(key.into()), binding: self.binding, count: 0 };
        (direction(&self.to_host), direction(&self.to_guest))
    }
}

impl Direction {
    /// The next nonce: the count, which is never used twice under one key.
    fn nonce(&mut self) -> XNonce {
        let mut nonce = [0; 24];
        nonce[16..].copy_from_slice(&self.count.to_be_bytes());
        self.count += 1;
        XNonce::from(nonce)
    }

    fn seal(&mut self, value: &impl Serialize) -> Body {
        let plain = padded(&encode(value));
        let nonce = self.nonce();
        let payload = Payload { msg: &plain, aad: &self.binding.0 };
        let sealed = self.cipher.encrypt(&nonce, payload);
        debug_assert!(sealed.is_ok(), "a few kilobytes always encrypt");
        Body::from(sealed.unwrap_or_default())
    }

    /// The next thing said. What cannot be opened takes no turn, so noise from the relay does no harm.
    fn open<T: DeserializeOwned>(&mut self, sealed: &Body) -> Result<T, LinkError> {
        let before = self.count;
        let nonce = self.nonce();
        let payload = Payload { msg: sealed, aad: &self.binding.0 };
        let Ok(plain) = self.cipher.decrypt(&nonce, payload).map(Zeroizing::new) else {
            self.count = before;
            return Err(LinkError::WrongSecret);
        };
        unpadded(&plain).and_then(|plain| decode(&Bytes::copy_from_slice(plain)).ok()).ok_or(LinkError::OutOfPlace)
    }
}

fn padded(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity((plain.len() + 4).next_multiple_of(PADDING)));
    bytes.extend_from_slice(&u32::try_from(plain.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(plain);
    let whole = bytes.len().next_multiple_of(PADDING);
    bytes.resize(whole, 0);
    bytes
}

fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (plain, padding) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    padding.iter().all(|&byte| byte == 0).then_some(plain)
}

fn read(body: &Body) -> Result<LinkMessage, LinkError> {
    decode(&body.0).map_err(|_| LinkError::OutOfPlace)
}

/// Cuts a machine's name to what travels, between two characters.
pub fn machine_name(name: &str) -> String {
    let end = (0..=MAX_MACHINE.min(name.len())).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    name[..end].to_owned()
}

/// The new device, before the host has answered.
pub struct Guest {
    code: LinkCode,
    secret: StaticSecret,
    public: [u8; 32],
}

/// The new device, with keys that only the host of its code can have.
pub struct MetHost {
    binding: Hash,
    to_host: Direction,
    to_guest: Direction,
}

/// The host, with keys that only a guest with its code can use.
pub struct MetGuest {
    binding: Hash,
    to_host: Direction,
    to_guest: Direction,
}

macro_rules! opaque {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

opaque!(Keys Direction Guest MetHost MetGuest);

impl Guest {
    /// Begins, with 32 fresh random bytes; returns what to say first.
    pub fn begin(code: LinkCode, seed: &[u8; 32]) -> (Self, Body) {
        let secret = StaticSecret::from(*seed);
        let public = X25519Public::from(&secret).to_bytes();
        let said = Body(encode(&LinkMessage::Begin(LinkKey { key: public })));
        (Self { code, secret, public }, said)
    }

    /// The host has answered: it knows the secret, or this fails.
    pub fn answered(&self, body: &Body) -> Result<(MetHost, HostIs), LinkError> {
        let LinkMessage::Answer(LinkAnswer { key, sealed }) = read(body)? else { return Err(LinkError::OutOfPlace) };
        let binding = binding(&self.code, &self.public, &key);
        let keys = Keys::agree(&self.secret, key, &self.code, binding)?;
        let (to_host, mut to_guest) = keys.directions();
        match to_guest.open(&sealed)? {
            HostWord::Host(host) => Ok((MetHost { binding, to_host, to_guest }, host)),
            _ => Err(LinkError::OutOfPlace),
        }
    }
}

impl MetHost {
    /// Says who this device is, and proves that it has its key.
    pub fn introduce(&mut self, device: DeviceId, key: &DeviceKey, machine: &str) -> Body {
        let machine = machine_name(machine);
        let signature = key.sign(&new_device_signs(&self.binding, &device, &key.public(), &machine));
        let sealed = self.to_host.seal(&NewDevice { device, key: key.public(), machine, signature });
        Body(encode(&LinkMessage::Sealed(sealed)))
    }

    /// What the host says next.
    pub fn hear(&mut self, body: &Body) -> Result<HostWord, LinkError> {
        match read(body)? {
            LinkMessage::Sealed(sealed) => self.to_guest.open(&sealed),
            _ => Err(LinkError::OutOfPlace),
        }
    }
}

impl MetGuest {
    /// A guest has begun: answers it, with 32 fresh random bytes. Whether it knows the secret shows with what it says next.
    pub fn answer(code: &LinkCode, seed: &[u8; 32], begun: &Body, host: HostIs) -> Result<(Self, Body), LinkError> {
        let LinkMessage::Begin(LinkKey { key: guest }) = read(begun)? else { return Err(LinkError::OutOfPlace) };
        let secret = StaticSecret::from(*seed);
        let public = X25519Public::from(&secret).to_bytes();
        let binding = binding(code, &guest, &public);
        let keys = Keys::agree(&secret, guest, code, binding)?;
        let (to_host, mut to_guest) = keys.directions();
        let host = HostIs { machine: machine_name(&host.machine), ..host };
        let sealed = to_guest.seal(&HostWord::Host(host));
        let said = Body(encode(&LinkMessage::Answer(LinkAnswer { key: public, sealed })));
        Ok((Self { binding, to_host, to_guest }, said))
    }

    /// The guest says who it is, and has proved that it has the key.
    pub fn introduced(&mut self, body: &Body) -> Result<NewDevice, LinkError> {
        let LinkMessage::Sealed(sealed) = read(body)? else { return Err(LinkError::OutOfPlace) };
        let device: NewDevice = self.to_host.open(&sealed)?;
        let signed = new_device_signs(&self.binding, &device.device, &device.key, &device.machine);
        let sound = device.machine.len() <= MAX_MACHINE && device.key.verifies(&signed, &device.signature);
        if sound { Ok(device) } else { Err(LinkError::BadProof) }
    }

    /// Says something to the guest.
    pub fn tell(&mut self, word: &HostWord) -> Body {
        Body(encode(&LinkMessage::Sealed(self.to_guest.seal(word))))
    }
}

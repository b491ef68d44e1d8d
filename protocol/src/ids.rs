//! Ids, numbers and public keys: one type each, so that they cannot be mistaken for one another.

use ed25519_dalek::{Signature as DalekSignature, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use std::fmt;

macro_rules! byte_id {
    ($(#[$meta:meta])* $name:ident, $len:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// From exactly the right number of bytes.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Lower-case hexadecimal.
            pub fn to_hex(&self) -> String {
                data_encoding::HEXLOWER.encode(&self.0)
            }

            /// From hexadecimal, upper or lower case.
            pub fn from_hex(text: &str) -> Option<Self> {
                Self::from_slice(&data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let shown = self.0.len().min(8);
                write!(f, concat!(stringify!($name), "({})"), data_encoding::HEXLOWER.encode(&self.0[..shown]))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Exact;
                impl de::Visitor<'_> for Exact {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                        f.write_str(concat!(stringify!($len), " bytes"))
                    }
                    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<$name, E> {
                        $name::from_slice(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
                    }
                }
                deserializer.deserialize_bytes(Exact)
            }
        }
    };
}

byte_id!(/// Hash of an account's root public key: [`AccountId::of`].
    AccountId, 32);
byte_id!(/// A device, chosen by the device itself (UUID).
    DeviceId, 16);
byte_id!(/// A chat. For a direct chat the hash of both accounts: [`ChatId::direct`].
    ChatId, 32);
byte_id!(/// The id a client gives a message (`client_msg_id`, UUID, v7 by default); unique per device.
    MessageId, 16);
byte_id!(/// Makes a request idempotent across connections (UUID).
    RequestId, 16);
byte_id!(/// Names one life of a relay's log; a relay restored from a backup gets a new one.
    LogId, 16);
byte_id!(/// What a group's id is made unique by; random.
    GroupNonce, 16);
byte_id!(/// A meeting of a device with one that is being linked; random, from the code.
    MeetingId, 16);
byte_id!(/// SHA-256.
    Hash, 32);
byte_id!(/// 32 fresh random bytes.
    Nonce, 32);
byte_id!(/// An Ed25519 public key.
    PublicKey, 32);
byte_id!(/// An Ed25519 signature.
    Signature, 64);

macro_rules! number {
    ($(#[$meta:meta])* $name:ident, $inner:ty) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl<'de> Deserialize<'de> for $name {
            /// Numbers are below 2^63 (rule `COD-7`), so that every database and language can count with them.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = <$inner>::deserialize(deserializer)?;
                match i64::try_from(number) {
                    Ok(_) => Ok(Self(number)),
                    Err(_) => Err(de::Error::custom("a number above 2^63 - 1 (COD-7)")),
                }
            }
        }

        impl $name {
            /// The number after this one.
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(/// Position of an envelope in its partition: rising, starting at 1; 0 is before everything.
    Pos, u64);
number!(/// Position of a chat-wide envelope in its chat: dense, starting at 1; 0 is before everything.
    Seq, u64);
number!(/// A device's own counter in a chat: dense, starting at 1.
    N, u64);
impl Millis {
    /// The last time the wire carries: never.
    pub const MAX: Self = Self(i64::MAX as u64);
}

impl Seq {
    /// The highest number the wire carries: as the end of a range, everything from its beginning on.
    pub const MAX: Self = Self(i64::MAX as u64);
}

number!(/// UTC milliseconds since 1970.
    Millis, u64);
number!(/// A partition of the relay's state; a relay alone has only 0.
    PartitionId, u16);

/// How far a device has read in one partition of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The log `pos` counts in.
    pub log: LogId,
    /// The partition `pos` counts in.
    pub partition: PartitionId,
    /// Everything up to here is stored by the device.
    pub pos: Pos,
}

impl Hash {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// SHA-256 of a label and some parts, each preceded by its length, so that no two lists of parts collide
    /// (rule `COD-6`).
    pub fn labelled(label: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(label.as_bytes());
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl AccountId {
    /// The account a root key stands for (rule `ACC-1`).
    pub fn of(root: &PublicKey) -> Self {
        Self(Hash::labelled("aside/1 account", &[&root.0]).0)
    }
}

impl ChatId {
    /// The direct chat of two accounts, the same from either side (rule `CHT-1`).
    pub fn direct(one: &AccountId, other: &AccountId) -> Self {
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        Self(Hash::labelled("aside/1 direct chat", &[&low.0, &high.0]).0)
    }

    /// A group or channel that an account founds (rule `CHT-7`).
    pub fn group(founder: &AccountId, nonce: &GroupNonce) -> Self {
        Self(Hash::labelled("aside/1 group chat", &[&founder.0, &nonce.0]).0)
    }
}

impl PublicKey {
    /// Whether `signature` over `message` was made by this key (RFC 8032, strict).
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.0) else {
            return false;
        };
        key.verify_strict(message, &DalekSignature::from_bytes(&signature.0)).is_ok()
    }
}

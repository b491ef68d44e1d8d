//! What stands inside the encryption: content, its padding, watermarks, additional data (rules `CNT-*`).
//!
//! The relay never sees these types except [`Aad`], which it does not need.

use crate::request::BlobRef;
use crate::{Body, ChatId, DeviceId, Hash, MessageId, Millis, N, PublicKey, Seq, codec};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// MLS additional data of every message and commit: authenticated, not secret (rule `CNT-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aad {
    /// The chat.
    pub chat: ChatId,
    /// The sender's counter.
    pub n: N,
    /// The last commit the sender had processed.
    pub base: Seq,
}

/// Text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// UTF-8, at most [`crate::limits::MAX_TEXT`] bytes.
    pub text: String,
}

/// What the own account's other devices should know; only in the chat with oneself (rule `SYN-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// In the order in which it became true.
    pub items: Vec<SyncItem>,
}

/// Read up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadUpTo {
    /// The chat.
    pub chat: ChatId,
    /// Up to here; it only rises.
    pub seq: Seq,
}

/// Nothing is announced of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Muted {
    /// The chat.
    pub chat: ChatId,
    /// Until then; 0: not muted.
    pub until: Millis,
}

/// What the user decided about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The account's root key.
    pub root: PublicKey,
    /// The name it is known by.
    pub name: String,
    /// 0 in use, 1 waits for a decision, 2 replaced by a newer key.
    pub trust: u64,
    /// When its safety number was compared; 0: never.
    #[serde(default)]
    pub verified: Millis,
}

/// A text was begun in a chat, or is no more. The text itself stays where it was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drafted {
    /// The chat.
    pub chat: ChatId,
    /// When; 0: no more.
    pub since: Millis,
}

/// History for a device that was linked (rule `HIS-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// For whom.
    pub device: DeviceId,
    /// Names this transfer.
    pub transfer: crate::RequestId,
    /// The encoded manifest: a blob, encrypted as its chunks are.
    pub manifest: Chunk,
}

/// A part of a history: a blob, and how to read it (rule `HIS-2`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The encrypted bytes.
    pub blob: BlobRef,
    /// XChaCha20-Poly1305 key, used for this blob alone.
    pub key: Body,
    /// Messages in it.
    pub messages: u64,
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk").field("blob", &self.blob).field("messages", &self.messages).finish_non_exhaustive()
    }
}

crate::wire_enum! {
    /// One thing to know.
    pub enum SyncItem {
        /// Read state.
        0 = Read(ReadUpTo),
        /// Mutes.
        1 = Mute(Muted),
        /// Contacts.
        2 = Contact(Decided),
        /// Drafts.
        3 = Draft(Drafted),
        /// A history to fetch.
        4 = History(History),
    }
}

crate::wire_enum! {
    /// What a message is.
    pub enum ContentBody {
        /// A text.
        0 = Text(Text),
        /// For the own account's other devices.
        1 = Sync(Sync),
    }
}

/// Marks a message that is sent again for a device that could not read it (rule `REJ-4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// The device that sent it first.
    pub device: DeviceId,
    /// Where it stood.
    pub seq: Seq,
}

/// A message as its readers see it (rule `CNT-4`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Unique per device; the same when sent again.
    pub id: MessageId,
    /// By the sender's clock; shown, never trusted for order.
    pub time: Millis,
    /// Version of the sender's own device list that it knew.
    pub list_version: u64,
    /// Hash of that version, so that a rollback shows.
    pub list_hash: Hash,
    /// What it is.
    pub body: ContentBody,
    /// Present when sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// How far a device has stored and shown a chat (rule `RCP-2`). `read` ≤ `delivered`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Watermarks {
    /// Stored up to here.
    pub delivered: Seq,
    /// Read up to here.
    pub read: Seq,
}

impl Watermarks {
    /// 16 bytes: two big-endian numbers, so that all receipts have one size.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.delivered.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.read.0.to_be_bytes());
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        let (delivered, read) = bytes.split_at(8);
        // Numbers are below 2^63 here as everywhere (rule `COD-7`).
        let number =
            |part: &[u8]| part.try_into().ok().map(u64::from_be_bytes).filter(|&number| i64::try_from(number).is_ok());
        Some(Self { delivered: Seq(number(delivered)?), read: Seq(number(read)?) })
    }
}

/// Sealed watermarks as they travel (rule `RCP-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedReceipt {
    /// XChaCha20-Poly1305 nonce, random.
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 24],
    /// 16 bytes of [`Watermarks`] and the tag.
    pub sealed: Body,
    /// By the device key, over [`Self::signed_bytes`].
    pub signature: crate::Signature,
}

impl SealedReceipt {
    /// Additional data of the encryption.
    pub fn aad(chat: &ChatId, device: &DeviceId, base: Seq) -> Vec<u8> {
        Hash::labelled("aside/1 receipt", &[&chat.0, &device.0, &base.0.to_be_bytes()]).0.to_vec()
    }

    /// The bytes the device signs.
    pub fn signed_bytes(aad: &[u8], nonce: &[u8; 24], sealed: &[u8]) -> Vec<u8> {
        Hash::labelled("aside/1 receipt signature", &[aad, nonce, sealed]).0.to_vec()
    }
}

/// Encodes and pads content, so that its length says little (rule `CNT-3`).
///
/// A four-byte length, the content, zeros up to the next power of two, or above 1 KiB the next multiple of 1 KiB.
pub fn pad(content: &Content) -> Vec<u8> {
    let plain = codec::encode(content);
    let length = plain.len() + 4;
    let padded = if length <= 1024 { length.next_power_of_two().max(128) } else { length.next_multiple_of(1024) };
    let mut bytes = Vec::with_capacity(padded);
    bytes.extend_from_slice(&u32::try_from(plain.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(&plain);
    bytes.resize(padded, 0);
    bytes
}

/// Reads what [`pad`] wrote.
pub fn unpad(bytes: &[u8]) -> Result<Content, codec::DecodeError> {
    let malformed = || codec::DecodeError::Malformed("padding".into());
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| malformed())?;
    let (plain, padding) = rest.split_at_checked(length).ok_or_else(malformed)?;
    if padding.iter().any(|&byte| byte != 0) {
        return Err(malformed());
    }
    codec::decode(&Bytes::copy_from_slice(plain))
}

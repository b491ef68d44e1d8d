//! A device's signed request to be added to a chat again (rules `REJ-*`).

use crate::{Body, ChatId, DeviceId, Hash, Seq, Signature, codec};
use serde::{Deserialize, Serialize};

/// Numbers from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeqRange {
    /// First.
    pub from: Seq,
    /// Last.
    pub to: Seq,
}

/// Most ranges one request may name.
pub const MAX_RANGES: usize = 256;

/// What the device asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejoinRequest {
    /// The chat.
    pub chat: ChatId,
    /// The incarnation the device last knew.
    pub incarnation: u64,
    /// The device.
    pub device: DeviceId,
    /// A fresh key package of it.
    pub key_package: Body,
    /// What it could not read; its senders send these again.
    #[serde(default)]
    pub missing: Vec<SeqRange>,
}

/// The request with the device's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRejoin {
    /// Encoded [`RejoinRequest`].
    pub request: Body,
    /// By the device key, over [`signed_bytes`].
    pub signature: Signature,
}

/// The bytes a signature covers.
pub fn signed_bytes(request: &[u8]) -> Vec<u8> {
    Hash::labelled("aside/1 rejoin", &[request]).0.to_vec()
}

/// Reads a signed request, without judging its signature.
pub fn open(bytes: &Body) -> Result<(RejoinRequest, SignedRejoin), codec::DecodeError> {
    let signed: SignedRejoin = codec::decode(&bytes.0)?;
    let request: RejoinRequest = codec::decode(&signed.request.0)?;
    if request.missing.len() > MAX_RANGES {
        return Err(codec::DecodeError::Malformed("too many ranges".into()));
    }
    Ok((request, signed))
}

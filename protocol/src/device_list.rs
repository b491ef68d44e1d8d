//! The signed chain of an account's device lists (rules `LST-*`). Verifies, never signs.

use crate::limits::MAX_DEVICES;
use crate::{AccountId, Body, DeviceId, Hash, Millis, PublicKey, Signature, codec};
use serde::{Deserialize, Serialize};

/// One device of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEntry {
    /// Its id.
    pub device: DeviceId,
    /// Its Ed25519 key: for login, for its MLS leaves, for what it signs.
    pub key: PublicKey,
    /// When it was added, by the adding device's clock.
    pub added: Millis,
}

/// One version of an account's devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceList {
    /// The account.
    pub account: AccountId,
    /// 1, 2, 3 …
    pub version: u64,
    /// Hash of the version before; zeros in version 1.
    pub previous: Hash,
    /// The devices, at most 16.
    pub devices: Vec<DeviceEntry>,
}

crate::wire_enum! {
    /// Who signed a version.
    pub enum Signer {
        /// The account's root key.
        0 = Root(crate::refusal::Plain),
        /// A device of the version before.
        1 = Device(DeviceId),
    }
}

/// A version with its signature, as it travels and is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDeviceList {
    /// The encoded [`DeviceList`].
    pub list: Body,
    /// Who signed it.
    pub signer: Signer,
    /// Over [`signed_bytes`].
    pub signature: Signature,
}

/// Why a list does not follow. The peer's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Not a device list at all.
    #[error("not a device list: {0}")]
    Malformed(String),
    /// `LST-1`: wrong account, version, previous hash, or number of devices.
    #[error("the device list does not follow the one before (LST-1)")]
    DoesNotFollow,
    /// `LST-2`: not signed by the root or by a device of the version before.
    #[error("the device list is not signed by the account (LST-2)")]
    BadSignature,
}

/// A version whose chain back to the root was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedList {
    /// The list.
    pub list: DeviceList,
    /// Its hash, which the next version and every message name.
    pub hash: Hash,
}

/// The bytes a signature over an encoded list covers.
pub fn signed_bytes(list: &[u8]) -> Vec<u8> {
    Hash::labelled("aside/1 device list signature", &[list]).0.to_vec()
}

/// The hash of an encoded list.
pub fn hash_of(list: &[u8]) -> Hash {
    Hash::labelled("aside/1 device list", &[list])
}

/// Reads a signed list without verifying anything.
pub fn open(bytes: &Body) -> Result<(SignedDeviceList, DeviceList), codec::DecodeError> {
    let signed: SignedDeviceList = codec::decode(&bytes.0)?;
    let list = codec::decode(&signed.list.0)?;
    Ok((signed, list))
}

impl DeviceList {
    /// The entry of a device.
    pub fn device(&self, device: &DeviceId) -> Option<&DeviceEntry> {
        self.devices.iter().find(|entry| entry.device == *device)
    }

    fn well_formed(&self) -> bool {
        let distinct = self.devices.iter().enumerate().all(|(i, entry)| {
            !self.devices[..i].iter().any(|other| other.device == entry.device || other.key == entry.key)
        });
        (1..=MAX_DEVICES).contains(&self.devices.len()) && distinct
    }
}

/// Verifies that `bytes` is the version after `before` (or version 1 when there is none) of `root`'s account.
pub fn verify_next(root: &PublicKey, before: Option<&VerifiedList>, bytes: &Body) -> Result<VerifiedList, ListError> {
    let malformed = |e: codec::DecodeError| ListError::Malformed(e.to_string());
    let (signed, list) = open(bytes).map_err(malformed)?;
    let (version, previous) = before.map_or((1, Hash([0; 32])), |b| (b.list.version + 1, b.hash));
    let follows = list.account == AccountId::of(root) && list.version == version && list.previous == previous;
    if !follows || !list.well_formed() {
        return Err(ListError::DoesNotFollow);
    }
    let key = match &signed.signer {
        Signer::Root(_) => Some(*root),
        Signer::Device(device) => before.and_then(|b| b.list.device(device)).map(|entry| entry.key),
        Signer::Unknown(_) => None,
    };
    let message = signed_bytes(&signed.list);
    match key {
        Some(key) if key.verifies(&message, &signed.signature) => {
            Ok(VerifiedList { hash: hash_of(&signed.list), list })
        }
        _ => Err(ListError::BadSignature),
    }
}

/// Verifies a whole chain, from version 1 or from the version after `known`, and returns the last version.
pub fn verify_chain(
    root: &PublicKey,
    known: Option<VerifiedList>,
    lists: &[Body],
) -> Result<Option<VerifiedList>, ListError> {
    lists.iter().try_fold(known, |before, bytes| verify_next(root, before.as_ref(), bytes).map(Some))
}

//! Leaves and the credentials that lead them back to accounts (rule `MLS-2`).

use aside_protocol::group::Credential as Identity;
use aside_protocol::{AccountId, DeviceId, Millis, PublicKey, codec};
use bytes::Bytes;
use openmls::group::{Member, MlsGroup};
use openmls::prelude::{BasicCredential, Credential, LeafNode, LeafNodeIndex};

/// A member of a group, as its leaf says. Whether the account's device list agrees is for the caller to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Leaf {
    /// The account's root key.
    pub root: PublicKey,
    /// The account: the hash of `root`.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
    /// The leaf's signature key: must be the one that the account's device list names for `device`.
    pub key: PublicKey,
}

/// The credential of a device.
pub(super) fn identity(root: PublicKey, device: DeviceId, not_after: Millis) -> Credential {
    let identity = Identity { root, device, not_after };
    BasicCredential::new(codec::encode(&identity).to_vec()).into()
}

impl Leaf {
    /// Reads a credential and its key, and until when the leaf may be added.
    pub(super) fn read(credential: &Credential, key: &[u8]) -> Result<(Self, Millis), String> {
        let basic = BasicCredential::try_from(credential.clone()).map_err(|e| e.to_string())?;
        let identity: Identity =
            codec::decode(&Bytes::copy_from_slice(basic.identity())).map_err(|e| format!("credential: {e}"))?;
        let key = PublicKey::from_slice(key).ok_or("a signature key that is not Ed25519")?;
        let Identity { root, device, not_after } = identity;
        Ok((Self { root, account: AccountId::of(&root), device, key }, not_after))
    }

    pub(super) fn of_node(node: &LeafNode) -> Result<(Self, Millis), String> {
        Self::read(node.credential(), node.signature_key().as_slice())
    }

    pub(super) fn of_member(member: &Member) -> Result<Self, String> {
        Self::read(&member.credential, &member.signature_key).map(|(leaf, _)| leaf)
    }

    pub(super) fn at(group: &MlsGroup, index: LeafNodeIndex) -> Result<Self, String> {
        Self::of_member(&group.member_at(index).ok_or("no such leaf")?)
    }
}

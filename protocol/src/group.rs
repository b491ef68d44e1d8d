//! What MLS groups of ours carry besides MLS: credentials, the group context, capability numbers (rules `MLS-*`).

use crate::{AccountId, ChatId, DeviceId, Hash, Millis, PublicKey};
use serde::{Deserialize, Serialize};

/// Extension type of [`ChatContext`] in the group context (private use range of RFC 9420 section 17.3).
pub const CHAT_CONTEXT_EXTENSION: u16 = 0xF0A1;
/// Extension type of roles in the group context; advertised from the first release on, used by groups.
pub const ROLES_EXTENSION: u16 = 0xF0A2;
/// Proposal type that carries evidence (signed requests) for a commit; advertised from the first release on.
pub const EVIDENCE_PROPOSAL: u16 = 0xF0A3;

crate::wire_code! {
    /// What kind of chat a group is.
    pub enum ChatKind {
        /// Two accounts.
        0 = Direct,
        /// Up to 1,000 accounts.
        1 = Group,
        /// Up to 10,000 devices; few post.
        2 = Channel,
    }
}

/// The identity in an MLS basic credential: leads a leaf back to its account (rule `MLS-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The account's root key.
    pub root: PublicKey,
    /// The device; the leaf's signature key must be the one its device list names.
    pub device: DeviceId,
    /// Checked only by who adds the leaf; no clock decides what a member accepts.
    pub not_after: Millis,
}

/// An account's device list as a group knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// The account.
    pub account: AccountId,
    /// Version of its device list.
    pub version: u64,
    /// Hash of that version.
    pub hash: Hash,
}

/// Binds an MLS group to its chat (rule `MLS-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatContext {
    /// The chat.
    pub chat: ChatId,
    /// Its kind.
    pub kind: ChatKind,
    /// Which founding of the chat this group is.
    pub incarnation: u64,
    /// The accounts in it.
    pub accounts: Vec<AccountState>,
}

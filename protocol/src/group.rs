//! What MLS groups of ours carry besides MLS: credentials, the group context, capability numbers (rules `MLS-*`).

use crate::limits::MAX_TITLE;
use crate::request::Origin;
use crate::{AccountId, Body, ChatId, DeviceId, Hash, Millis, PublicKey, Signature, codec};
use serde::{Deserialize, Serialize};

/// Extension type of [`ChatContext`] in the group context (private use range of RFC 9420 section 17.3).
pub const CHAT_CONTEXT_EXTENSION: u16 = 0xF0A1;
/// Extension type of [`GroupState`] in the group context of groups and channels.
pub const GROUP_STATE_EXTENSION: u16 = 0xF0A2;
/// Extension type of [`Pack`] in the group info of welcomes into groups and channels; only joiners read it.
pub const PACK_EXTENSION: u16 = 0xF0A4;
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
    /// The two accounts of a direct chat, the same twice for the chat with oneself. None in groups and channels: theirs
    /// are in the roster.
    pub accounts: Vec<AccountState>,
}

crate::wire_code! {
    /// What an account may do in a group or channel.
    pub enum Role {
        /// Writes in groups, reads in channels.
        0 = Member,
        /// Adds and removes members, renames, writes in channels.
        1 = Admin,
        /// Also gives roles.
        2 = Owner,
    }
}

/// Whether a group or channel may be called so.
pub fn is_title(title: &str) -> bool {
    !title.trim().is_empty() && title.len() <= MAX_TITLE && !title.chars().any(char::is_control)
}

/// One account of a group or channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// The account.
    pub account: AccountId,
    /// What it may do.
    pub role: Role,
    /// Version of its device list that the group knows.
    pub version: u64,
    /// Hash of that version.
    pub hash: Hash,
    /// The epoch in which it came in.
    pub since: u64,
}

/// The accounts of a group or channel, in the order of their ids, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Roster {
    /// The entries.
    pub entries: Vec<RosterEntry>,
}

impl Roster {
    /// What the group context names (rule `GRP-2`).
    pub fn hash(&self) -> Hash {
        Hash::labelled("aside/1 roster", &[&codec::encode(self)])
    }

    /// Whether it is in order, and no account is in it twice.
    pub fn is_sorted(&self) -> bool {
        self.entries.is_sorted_by(|one, other| one.account < other.account)
    }

    /// An account's entry.
    pub fn get(&self, account: &AccountId) -> Option<&RosterEntry> {
        let at = self.entries.binary_search_by_key(account, |entry| entry.account).ok()?;
        self.entries.get(at)
    }

    /// Puts an entry in its place, instead of the one of its account if there is one.
    pub fn put(&mut self, entry: RosterEntry) {
        match self.entries.binary_search_by_key(&entry.account, |entry| entry.account) {
            Ok(at) => self.entries[at] = entry,
            Err(at) => self.entries.insert(at, entry),
        }
    }

    /// Takes an account out.
    pub fn remove(&mut self, account: &AccountId) {
        self.entries.retain(|entry| entry.account != *account);
    }
}

/// What changes in a group or channel, in the group context (rule `GRP-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// What it is called; at most [`crate::limits::MAX_TITLE`] bytes.
    pub title: String,
    /// [`Roster::hash`] of its accounts.
    pub roster: Hash,
    /// What the chat's id was made of.
    pub origin: Origin,
    /// Whoever has the secret half may join (rule `JOI-1`); channels only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<PublicKey>,
}

/// An account's chain of device lists, with the key that it leads back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLists {
    /// The account's root key.
    pub root: PublicKey,
    /// Signed device lists from version 1 on.
    pub lists: Vec<Body>,
}

/// What a joiner needs to judge a group by (rule `GRP-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// Its accounts.
    pub roster: Roster,
    /// Their device lists.
    pub accounts: Vec<AccountLists>,
}

/// A new role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChange {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub role: Role,
}

crate::wire_enum! {
    /// What a commit is judged by (rule `GRP-5`).
    pub enum Evidence {
        /// A device asks to be added again: a signed [`crate::rejoin::RejoinRequest`].
        0 = Rejoin(Body),
        /// An account's device lists.
        1 = Lists(AccountLists),
        /// An account wants to leave: a signed [`LeaveRequest`].
        2 = Leave(Body),
        /// An account gets another role.
        3 = Role(RoleChange),
        /// Somebody has the channel's link: a signed [`JoinRequest`].
        4 = Join(Body),
    }
}

impl Evidence {
    /// Reads evidence. A request to be added again may stand alone, as it does in direct chats.
    pub fn read(bytes: &Body) -> Result<Self, codec::DecodeError> {
        match crate::rejoin::open(bytes) {
            Ok(_) => Ok(Self::Rejoin(bytes.clone())),
            Err(_) => codec::decode(&bytes.0),
        }
    }
}

/// An account asks to be removed from a group or channel (rule `LEA-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveRequest {
    /// The chat.
    pub chat: ChatId,
    /// Its incarnation.
    pub incarnation: u64,
    /// Who leaves.
    pub account: AccountId,
    /// The device of it that asks.
    pub device: DeviceId,
    /// The `since` of its entry in the roster, so that an old request is not used again after it came back.
    pub since: u64,
}

/// A request to leave with its device's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedLeave {
    /// Encoded [`LeaveRequest`].
    pub request: Body,
    /// By the device key, over [`leave_signs`].
    pub signature: Signature,
}

/// The bytes a device signs to leave.
pub fn leave_signs(request: &[u8]) -> Vec<u8> {
    Hash::labelled("aside/1 leave", &[request]).0.to_vec()
}

/// Somebody who has a channel's link asks to be added (rule `JOI-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The channel.
    pub chat: ChatId,
    /// Who asks, with the device lists that lead to its device.
    pub account: AccountLists,
    /// The device.
    pub device: DeviceId,
    /// A fresh key package of it.
    pub key_package: Body,
}

/// A request to join with both signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedJoin {
    /// Encoded [`JoinRequest`].
    pub request: Body,
    /// By the key in the channel's link, over [`join_signs`].
    pub proof: Signature,
    /// By the device key, over the same.
    pub signature: Signature,
}

/// The bytes that are signed to join.
pub fn join_signs(request: &[u8]) -> Vec<u8> {
    Hash::labelled("aside/1 join", &[request]).0.to_vec()
}

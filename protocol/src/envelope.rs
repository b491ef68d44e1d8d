//! What a relay delivers: an envelope around bytes it cannot read (rules `ENV-*`).

use crate::request::BlobRef;
use crate::{AccountId, Body, ChatId, DeviceId, Hash, Millis, N, PartitionId, Pos, Seq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

crate::wire_code! {
    /// What an envelope carries. Kinds 0 to 2 are chat-wide and have a `seq`; the others have a `pos` only.
    pub enum EnvelopeKind {
        /// An MLS private message with content.
        0 = Message,
        /// An MLS commit.
        1 = Commit,
        /// The commit with which an incarnation of a chat was founded; only its founder can read it.
        2 = Founding,
        /// An MLS welcome, for the devices it is addressed to.
        3 = Welcome,
        /// A reader's watermarks.
        4 = Receipt,
        /// A device asks to be added again.
        5 = Rejoin,
        /// An account asks to be removed.
        6 = Leave,
        /// Somebody with a channel's link asks to be added.
        7 = Join,
        /// The routing changes of a commit or founding, `base`, and of those after it were undone; it has no body (rule
        /// `CHT-6`).
        8 = Routed,
    }
}

/// One entry of a device's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Partition in which `pos` counts.
    pub partition: PartitionId,
    /// Rising position in the partition (rule `ENV-1`).
    pub pos: Pos,
    /// What `body` is.
    pub kind: EnvelopeKind,
    /// The chat it belongs to.
    pub chat: ChatId,
    /// The device that sent it, as the relay says; readers check the authenticated sender.
    pub from: DeviceId,
    /// That device's account, as the relay says.
    pub account: AccountId,
    /// When the relay accepted it.
    pub time: Millis,
    /// Dense position in the chat; chat-wide kinds only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// The sender's counter; chat-wide kinds only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<N>,
    /// Chat-wide: the last commit the sender had processed. Welcome: the `seq` of its commit. Receipt: the base of its key.
    /// Routed: what was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Seq>,
    /// Founding and welcome: the chat's incarnation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
    /// SHA-256 of the body; chat-wide kinds only (rule `ENV-2`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
    /// The bytes; absent when a device's own envelope comes back to it (rule `ENV-4`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Where the bytes are, if they are too many for a frame (rule `BLB-5`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobRef>,
    /// Commit: [`routing_of`] what it asked of the routing; absent if it asked nothing (rule `CHT-11`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Hash>,
}

/// The hash of a commit's routing change, so that members can compare it with the leaves that came and went (rule
/// `CHT-11`). Order and repeats mean nothing, and who is removed and added at once counts as added alone.
pub fn routing_of(add: &[DeviceId], remove: &[DeviceId]) -> Option<Hash> {
    let added: BTreeSet<DeviceId> = add.iter().copied().collect();
    let removed: BTreeSet<DeviceId> = remove.iter().filter(|device| !added.contains(device)).copied().collect();
    let joined = |devices: &BTreeSet<DeviceId>| devices.iter().flat_map(|device| device.0).collect::<Vec<u8>>();
    let changes = !added.is_empty() || !removed.is_empty();
    changes.then(|| Hash::labelled("aside/1 routing", &[&joined(&added), &joined(&removed)]))
}

impl Envelope {
    /// Bytes this envelope counts for in the window (rule `WIN-1`).
    pub fn weight(&self) -> usize {
        self.body.as_ref().map_or(0, Body::len)
    }
}

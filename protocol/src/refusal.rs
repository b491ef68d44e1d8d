//! Why a relay refuses a request that was well formed (rules `REF-*`).

use crate::{AccountId, Hash, N, Seq};
use serde::{Deserialize, Serialize};

/// A refusal that needs no details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plain {}

/// `n` skipped some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfOrder {
    /// The `n` the relay expects next.
    pub expected: N,
}

/// `base` is not the chat's last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The `seq` of the chat's last commit.
    pub base: Seq,
}

/// The same `n` was accepted with other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The number used twice.
    pub n: N,
    /// Hash of the body that was accepted.
    pub hash: Hash,
}

/// The chat exists in this or a later incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exists {
    /// The incarnation that stands; 0 when the chat does not exist.
    pub incarnation: u64,
    /// The `seq` of its last commit.
    pub base: Seq,
}

/// An account's devices are not those the request assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicesChanged {
    /// The account to look up again.
    pub account: AccountId,
    /// The version of its device list that stands.
    pub version: u64,
}

/// Try later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryAfter {
    /// Milliseconds to wait.
    pub retry_after_ms: u64,
}

/// A size or count limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooLarge {
    /// The most that is allowed, in bytes or items.
    pub limit: u64,
}

crate::wire_enum! {
    /// Why a request was refused; nothing changed.
    pub enum Refusal {
        /// `REF-1`: `n` skipped some.
        1 = OutOfOrder(OutOfOrder),
        /// `REF-2`: a commit came in between; process it, encrypt again, send with the same `n`.
        2 = Stale(Stale),
        /// `REF-3`: that `n` was used for other bytes.
        3 = Conflict(Conflict),
        /// `REF-4`: that `n` is older than the answers kept.
        4 = TooOld(Plain),
        /// `REF-5`: the device is not routed in that chat.
        5 = NotMember(Plain),
        /// `REF-6`: another founding won.
        6 = Exists(Exists),
        /// `REF-7`: look the account up again.
        7 = DevicesChanged(DevicesChanged),
        /// `REF-8`: no such account, chat or range.
        8 = NotFound(Plain),
        /// `REF-9`: the account has a device without key packages.
        9 = NoKeyPackage(Plain),
        /// `REF-10`: the name belongs to another account.
        10 = NameTaken(Plain),
        /// `REF-11`: the relay never made that invite.
        11 = InviteUnknown(Plain),
        /// `REF-12`: the invite has expired.
        12 = InviteExpired(Plain),
        /// `REF-13`: the invite has been used up.
        13 = InviteUsed(Plain),
        /// `REF-14`: a signature, chain or shape does not hold.
        14 = Invalid(Plain),
        /// `REF-15`: too large.
        15 = TooLarge(TooLarge),
        /// `REF-16`: too many in a short time.
        16 = RateLimited(RetryAfter),
        /// `REF-17`: the relay is behind; the request was dropped before it was applied.
        17 = Busy(RetryAfter),
        /// `REF-18`: the relay cannot write, for example because its disk is full.
        18 = Unavailable(RetryAfter),
        /// `REF-19`: the device was removed from its account.
        19 = Revoked(Plain),
        /// `REF-20`: the account or device already exists with other keys.
        20 = AlreadyRegistered(Plain),
        /// `REF-21`: the request is of a kind this relay does not know.
        21 = Unsupported(Plain),
    }
}

impl Refusal {
    /// The rule of SPEC.md behind this refusal.
    pub fn rule(&self) -> String {
        format!("REF-{}", self.code())
    }
}

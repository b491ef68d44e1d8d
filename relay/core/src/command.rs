//! What the core can be told: everything that changes state, and nothing else. May touch only protocol types.

use aside_protocol::request::{
    BlobRef, Commit, FetchKeyPackages, Found, Join, Leave, PutDeviceList, PutKeyPackages, Receipt, Rejoin, Route, Send,
    Welcome,
};
use aside_protocol::{AccountId, Body, DeviceId, Hash, LogId, Millis, Name, Pos, PublicKey};
use serde::{Deserialize, Serialize};

/// A command and the time its owner gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamped {
    /// The owner's clock; the core never lets time go back.
    pub time: Millis,
    /// What to do.
    pub command: Command,
}

/// Who asks: a device and its account, as the session authenticated them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// The device.
    pub device: DeviceId,
    /// Its account.
    pub account: AccountId,
}

/// The content of a registration, once the session has verified the device's signature over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Hash of the invite's secret.
    pub invite: Hash,
    /// The name wanted.
    pub name: Name,
    /// The account's root key.
    pub root: PublicKey,
    /// Version 1 of the device list.
    pub list: Body,
}

/// The content of a recovery, once the session has verified the device's signature over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The account.
    pub account: AccountId,
    /// The new device.
    pub device: DeviceId,
    /// The next version of the device list, signed by the root.
    pub list: Body,
}

/// What a host allows of blobs. A setting, so it travels with the command and is not state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobLimits {
    /// Bytes an account may have reserved.
    pub quota: u64,
    /// Longest blob in bytes.
    pub most: u64,
}

/// A version of an account's device list as the directory stored it, for the other partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Counted by the directory from 1, without a gap.
    pub number: u64,
    /// The account's root key.
    pub root: PublicKey,
    /// The version, which the directory has verified.
    pub list: Body,
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Names the log; only the first one counts.
    Init {
        /// Random, drawn by the owner.
        log: LogId,
    },
    /// Begins another life of the log: the database is an older copy of itself (rule `GAP-4`).
    BeginLog {
        /// Random, drawn by the owner.
        log: LogId,
    },
    /// Allows registrations.
    CreateInvite {
        /// Hash of the invite's secret.
        secret: Hash,
        /// How many accounts it is good for.
        uses: u32,
        /// For how long it is good, in milliseconds from when it is applied.
        valid: u64,
    },
    /// Creates an account with its first device.
    Register(Registration),
    /// Appends a version to the device's own account's list.
    PutDeviceList(By, PutDeviceList),
    /// Stores key packages of the device.
    PutKeyPackages(By, PutKeyPackages),
    /// Takes key packages of an account.
    FetchKeyPackages(By, FetchKeyPackages),
    /// Puts a new device into an account by its root key.
    Recover(Recovery),
    /// Begins an incarnation of a chat. The hash is SHA-256 of the body.
    Found(By, Hash, Found),
    /// Appends a message. The hash is SHA-256 of the body.
    Send(By, Hash, Send),
    /// Appends a commit and changes the routing. The hash is SHA-256 of the body.
    Commit(By, Hash, Commit),
    /// Undoes what the last commits and foundings of one account changed of the routing.
    Route(By, Route),
    /// Replaces the device's receipt in a chat.
    Receipt(By, Receipt),
    /// Asks a chat's other devices to add this one again.
    Rejoin(By, Rejoin),
    /// Asks a chat's other devices to remove this one's account.
    Leave(By, Leave),
    /// Asks some devices of a channel to add this one.
    Join(By, Join),
    /// Moves a device's cursor.
    Ack {
        /// Whose.
        device: DeviceId,
        /// Everything up to here is stored by the device.
        pos: Pos,
    },
    /// Reserves room for a blob; the same one again succeeds.
    ReserveBlob(By, BlobRef, BlobLimits),
    /// A blob's bytes are in the store, whole and verified.
    CompleteBlob(BlobRef),
    /// Nothing of a blob that `Retain` dropped is in the store any more.
    BlobGone {
        /// Which.
        id: Hash,
    },
    /// A blob that was complete is not in the store: whatever held it has lost it.
    BlobLost {
        /// Which.
        id: Hash,
    },
    /// Keeps blobs that a commit or founding in another partition is about to point to; refused unless all are complete.
    PointTo(Vec<BlobRef>),
    /// A [`Command::Commit`] or [`Command::Found`] that points to blobs of which the directory has said that they are
    /// complete.
    Pointing {
        /// What it points to.
        blobs: Vec<BlobRef>,
        /// The position of the directory's log by which they were there.
        since: u64,
        /// The commit or founding.
        command: Box<Command>,
    },
    /// What another partition than the directory learns of accounts and their devices. What it knows already is passed
    /// over, and a gap is refused.
    Learn {
        /// In the order of their numbers.
        changes: Vec<Change>,
    },
    /// Deletes what nobody needs any more, a bounded amount at a time.
    Retain {
        /// About how many rows to look at.
        limit: u32,
    },
}

impl Command {
    /// Bytes of bodies and lists in the command; what batches and queues are bounded by.
    pub fn weight(&self) -> usize {
        match self {
            Self::Register(registration) => registration.list.len(),
            Self::PutDeviceList(_, request) => request.list.len(),
            Self::PutKeyPackages(_, request) => request.packages.iter().map(|package| package.body.len()).sum(),
            Self::Found(_, _, found) => found.body.len() + named(&found.devices) + welcomed(found.welcome.as_ref()),
            Self::Send(_, _, send) => send.body.len(),
            Self::Commit(_, _, commit) => {
                let changed = named(&commit.add) + named(&commit.remove);
                commit.body.len() + changed + welcomed(commit.welcome.as_ref())
            }
            Self::Receipt(_, receipt) => receipt.body.len(),
            Self::Rejoin(_, rejoin) => rejoin.body.len(),
            Self::Leave(_, leave) => leave.body.len(),
            Self::Join(_, join) => join.body.len(),
            Self::Recover(recovery) => recovery.list.len(),
            Self::Pointing { command, .. } => command.weight(),
            Self::Learn { changes } => changes.iter().map(|change| change.list.len()).sum(),
            _ => 0,
        }
    }

    /// The blobs that a commit or founding, and its welcome, point to.
    pub fn pointers(&self) -> Vec<BlobRef> {
        let (own, welcome) = match self {
            Self::Commit(_, _, commit) => (commit.blob, commit.welcome.as_ref()),
            Self::Found(_, _, found) => (None, found.welcome.as_ref()),
            _ => (None, None),
        };
        own.into_iter().chain(welcome.and_then(|welcome| welcome.blob)).collect()
    }
}

fn named(devices: &[DeviceId]) -> usize {
    std::mem::size_of_val(devices)
}

fn welcomed(welcome: Option<&Welcome>) -> usize {
    welcome.map_or(0, |welcome| welcome.body.len() + named(&welcome.to))
}

//! What a logged-in device may ask, and the answers (rules `REQ-*`).

use crate::envelope::Envelope;
use crate::{
    AccountId, Body, ChatId, DeviceId, GroupNonce, Hash, MeetingId, Millis, N, Name, Pos, PublicKey, Refusal,
    RequestId, Seq,
};
use serde::{Deserialize, Serialize};

crate::wire_code! {
    /// An MLS ciphersuite (RFC 9420 section 17.1 and its registry).
    pub enum Suite {
        /// X25519, ChaCha20-Poly1305, SHA-256, Ed25519: channels.
        3 = Classical,
        /// X-Wing, ChaCha20-Poly1305, SHA-256, Ed25519: direct chats and groups.
        77 = XWing,
    }
}

/// A message for everybody in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// The chat.
    pub chat: ChatId,
    /// This device's next number in it.
    pub n: N,
    /// The last commit this device has processed in it.
    pub base: Seq,
    /// MLS private message.
    pub body: Body,
}

/// Bytes that lie at the relay's blob store, because a frame is too small for them (rules `BLB-*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobRef {
    /// SHA-256 of the bytes.
    pub id: Hash,
    /// How many there are.
    pub size: u64,
}

/// A welcome and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The devices that may fetch it.
    pub to: Vec<DeviceId>,
    /// MLS welcome; empty if it is a blob.
    pub body: Body,
    /// Where the welcome is, if it is too long for a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobRef>,
}

/// A commit, its routing change and its welcome: one step (rule `CHT-4`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The chat.
    pub chat: ChatId,
    /// This device's next number in it.
    pub n: N,
    /// Compared with the chat's last commit.
    pub base: Seq,
    /// MLS private message with the commit; empty if it is a blob.
    pub body: Body,
    /// Devices routed from here on.
    #[serde(default)]
    pub add: Vec<DeviceId>,
    /// Devices no longer routed after this envelope.
    #[serde(default)]
    pub remove: Vec<DeviceId>,
    /// For those added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welcome: Option<Welcome>,
    /// Where the commit is, if it is too long for a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobRef>,
}

/// What the id of a group or channel is made of: [`ChatId::group`] (rule `CHT-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The account that founded it first.
    pub account: AccountId,
    /// Random.
    pub nonce: GroupNonce,
}

/// Begins an incarnation of a chat (rules `CHT-1` to `CHT-3`, `CHT-7`). Takes `n` = 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// [`ChatId::direct`] of the two accounts, or [`ChatId::group`] of the origin.
    pub chat: ChatId,
    /// The two accounts of a direct chat, the founder's among them; the same twice for the chat with oneself. None for
    /// a group or channel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountId>,
    /// The one that stands plus one; 1 for a chat that does not exist.
    pub incarnation: u64,
    /// Every device of both accounts; of a group or channel, every device that is in it.
    pub devices: Vec<DeviceId>,
    /// The commit that adds all but the founder; of a group or channel its SHA-256.
    pub body: Body,
    /// For those added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub welcome: Option<Welcome>,
    /// Of a group or channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Undoes the routing change of a commit that the members refuse (rule `CHT-6`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The chat.
    pub chat: ChatId,
    /// The refused commit; must be the chat's last.
    pub refused: Seq,
}

/// New watermarks of this device in a chat; replaces its former ones (rule `RCP-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The chat.
    pub chat: ChatId,
    /// Names the key the receipt is sealed with.
    pub base: Seq,
    /// Sealed watermarks.
    pub body: Body,
}

/// Asks the other devices of a chat to add this one again (rule `REJ-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejoin {
    /// The chat.
    pub chat: ChatId,
    /// Signed [`crate::rejoin::RejoinRequest`].
    pub body: Body,
}

/// Asks for envelopes of a chat again (rule `GAP-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The chat.
    pub chat: ChatId,
    /// First wanted.
    pub from: Seq,
    /// Last wanted.
    pub to: Seq,
}

crate::wire_enum! {
    /// How to find an account.
    pub enum Who {
        /// By its name in the relay's directory.
        0 = Name(Name),
        /// By its id.
        1 = Account(AccountId),
    }
}

/// Looks an account up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Which.
    pub who: Who,
    /// First version of the device list wanted; 1 for all.
    #[serde(default)]
    pub from_version: u64,
}

/// One key package to store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPackageUpload {
    /// Its suite.
    pub suite: Suite,
    /// Given out again and again when no one-time package is left; replaces the former one.
    pub last_resort: bool,
    /// MLS key package.
    pub body: Body,
}

/// Stores key packages, at most 25 at a time. The same package twice counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutKeyPackages {
    /// The packages.
    pub packages: Vec<KeyPackageUpload>,
}

/// Takes one key package of each device of an account (rule `KEY-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchKeyPackages {
    /// The same id from the same device gets the same packages.
    pub id: RequestId,
    /// Whose.
    pub account: AccountId,
    /// For which suite.
    pub suite: Suite,
}

/// Appends a version to the own account's device list (rule `LST-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutDeviceList {
    /// [`crate::device_list::SignedDeviceList`].
    pub list: Body,
}

/// Which devices the relay routes a chat to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The chat.
    pub chat: ChatId,
}

/// Asks for the chats that the device's account is in (rule `CHT-9`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chats {
    /// Those after this one, in the order of ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ChatId>,
}

/// Asks the other devices of a chat to remove this account (rule `LEA-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// The chat.
    pub chat: ChatId,
    /// Signed [`crate::group::LeaveRequest`].
    pub body: Body,
}

/// Asks some devices of a channel to add this one (rule `JOI-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The channel.
    pub chat: ChatId,
    /// Signed [`crate::group::JoinRequest`].
    pub body: Body,
}

/// Asks for the receipts of a chat with many devices (rule `RCP-5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipts {
    /// The chat.
    pub chat: ChatId,
    /// Those that got their `pos` after this one.
    #[serde(default)]
    pub after: Pos,
}

/// Wants to store a blob (rule `BLB-2`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Which, and how long it is.
    pub blob: BlobRef,
}

/// Opens a meeting, for a device that is not logged in (rule `MEE-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMeeting {
    /// Random, from the code.
    pub meeting: MeetingId,
}

/// Says something to the guest of a meeting (rule `MEE-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    /// The meeting.
    pub meeting: MeetingId,
    /// What the relay cannot read.
    pub body: Body,
}

crate::wire_enum! {
    /// A request of a logged-in device; answered by one [`Answer`].
    pub enum Request {
        /// Answered by `Account`.
        0 = Lookup(Lookup),
        /// Answered by `KeyPackageCounts`.
        1 = PutKeyPackages(PutKeyPackages),
        /// Answered by `KeyPackages`.
        2 = FetchKeyPackages(FetchKeyPackages),
        /// Answered by `Done`.
        3 = PutDeviceList(PutDeviceList),
        /// Answered by `Sent`.
        4 = Found(Found),
        /// Answered by `Sent`.
        5 = Send(Send),
        /// Answered by `Sent`.
        6 = Commit(Commit),
        /// Answered by `Done`.
        7 = Route(Route),
        /// Answered by `Done`.
        8 = Receipt(Receipt),
        /// Answered by `Done`.
        9 = Rejoin(Rejoin),
        /// Answered by `Envelopes`.
        10 = Range(Range),
        /// Answered by `Routing`.
        11 = Routing(Routing),
        /// Answered by `Chats`.
        12 = Chats(Chats),
        /// Answered by `Done`.
        13 = Leave(Leave),
        /// Answered by `Done`.
        14 = Join(Join),
        /// Answered by `Receipts`.
        15 = Receipts(Receipts),
        /// Answered by `Uploading`.
        16 = Upload(Upload),
        /// Answered by `Done`.
        17 = OpenMeeting(OpenMeeting),
        /// Answered by `Done`.
        18 = Tell(Tell),
    }
}

/// The relay stored an envelope durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The sender's number.
    pub n: N,
    /// Its place in the chat.
    pub seq: Seq,
    /// When the relay accepted it.
    pub time: Millis,
}

/// What the relay knows of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name in the directory.
    pub name: Name,
    /// Its root key; its hash is the account's id.
    pub root: PublicKey,
    /// Signed device lists from the version asked for, in order.
    pub lists: Vec<Body>,
}

/// One device's key package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPackageOf {
    /// Whose.
    pub device: DeviceId,
    /// MLS key package.
    pub body: Body,
}

/// How many key packages the relay holds for this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPackageCount {
    /// Of which suite.
    pub suite: Suite,
    /// One-time packages left.
    pub one_time: u64,
    /// Whether there is a last-resort package.
    pub last_resort: bool,
}

/// Envelopes of a chat, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelopes {
    /// At most 64 of those asked for that this device may read.
    pub envelopes: Vec<Envelope>,
    /// The oldest `seq` of the chat that the relay still holds.
    pub first: Seq,
}

/// Devices a chat is routed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// The devices.
    pub devices: Vec<DeviceId>,
    /// The chat's incarnation.
    pub incarnation: u64,
    /// The `seq` of its last commit.
    pub base: Seq,
    /// The last `seq` given.
    pub last: Seq,
}

/// A chat of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatOf {
    /// Which.
    pub chat: ChatId,
    /// Its incarnation.
    pub incarnation: u64,
    /// The `seq` of its last commit.
    pub base: Seq,
    /// The last `seq` given.
    pub last: Seq,
    /// Whether the asking device is routed in it.
    pub routed: bool,
}

/// Chats of an account, in the order of ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatsOf {
    /// The chats.
    pub chats: Vec<ChatOf>,
    /// Whether there are more after the last.
    #[serde(default)]
    pub more: bool,
}

/// Receipts of a chat, in the order of `pos`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptsOf {
    /// The envelopes.
    pub receipts: Vec<Envelope>,
    /// Whether there are more after the last.
    #[serde(default)]
    pub more: bool,
}

/// Leave to upload a blob (rule `BLB-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploading {
    /// Stands in the upload's authorization; good until the relay restarts.
    pub token: Body,
    /// How many bytes the relay has; all of them: it is complete.
    pub offset: u64,
}

/// Position and hash of what was stored; for receipts and rejoin requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Done {
    /// Where it stands in the partition, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pos: Option<Pos>,
    /// Hash of what was stored, if it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Hash>,
}

crate::wire_enum! {
    /// The answer to one request.
    pub enum Answer {
        /// Nothing changed, and why.
        0 = Refused(Refusal),
        /// Stored.
        1 = Done(Done),
        /// Stored in a chat's log.
        2 = Sent(Sent),
        /// An account.
        3 = Account(Account),
        /// Key packages, one a device.
        4 = KeyPackages(Vec<KeyPackageOf>),
        /// What is left.
        5 = KeyPackageCounts(Vec<KeyPackageCount>),
        /// Envelopes again.
        6 = Envelopes(Envelopes),
        /// Where a chat goes.
        7 = Routing(Routed),
        /// Chats of the account.
        8 = Chats(ChatsOf),
        /// Receipts of a chat.
        9 = Receipts(ReceiptsOf),
        /// A blob may be uploaded.
        10 = Uploading(Uploading),
    }
}

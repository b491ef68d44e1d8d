//! The frames of a connection (rules `FRM-*`, `CON-*`).
//!
//! Hello, hello-ok, login or register, login-ok, attach; then requests and answers, deliveries and acknowledgements.

use crate::envelope::Envelope;
use crate::invite::InviteSecret;
use crate::login::Mode;
use crate::request::{Account, Answer, KeyPackageCount, Request};
use crate::{
    AccountId, Body, Cursor, DeviceId, LogId, MeetingId, Millis, Name, Nonce, PartitionId, Pos, PublicKey, Refusal,
    Signature,
};
use serde::{Deserialize, Serialize};

/// The protocol version this crate speaks.
pub const VERSION: u64 = 1;

/// First frame of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Versions the client speaks, best first.
    pub versions: Vec<u64>,
    /// Capabilities it offers, by name.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Fresh.
    pub nonce: Nonce,
    /// How the client reached the relay.
    pub mode: Mode,
}

/// The relay's answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloOk {
    /// The version chosen.
    pub version: u64,
    /// Capabilities in force: offered by both.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Fresh.
    pub nonce: Nonce,
    /// The relay's identity key; its hash is the pin.
    pub identity: PublicKey,
    /// By the identity key, over [`crate::login::Transcript::relay_signs`].
    pub signature: Signature,
}

/// Logs a registered device in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Which device.
    pub device: DeviceId,
    /// By the device key, over [`crate::login::Transcript::device_signs`].
    pub signature: Signature,
}

/// Creates an account with its first device, and logs it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// From the invite.
    pub secret: InviteSecret,
    /// The name wanted.
    pub name: Name,
    /// The account's root key.
    pub root: PublicKey,
    /// Version 1 of the device list, signed by the root, with this one device.
    pub list: Body,
    /// By the device key, over [`crate::login::Transcript::registration_signs`].
    pub signature: Signature,
}

/// Says something to the host of a meeting, without being logged in (rule `MEE-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meet {
    /// From the code.
    pub meeting: MeetingId,
    /// What the relay cannot read.
    pub body: Body,
}

/// Shows that one has an account's root key, to be told what stands of the account (rule `RCV-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The account's root key.
    pub root: PublicKey,
    /// First version of the device list wanted; 1 for all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from_version: u64,
    /// By the root key, over [`crate::login::Transcript::claim_signs`].
    pub signature: Signature,
}

/// Puts a new device into an account by its root key, and logs it in (rule `RCV-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recover {
    /// The account.
    pub account: AccountId,
    /// The new device.
    pub device: DeviceId,
    /// The next version of the account's device list, signed by the root.
    pub list: Body,
    /// By the device key, over [`crate::login::Transcript::recovery_signs`].
    pub signature: Signature,
}

/// Where the relay stands with a device in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The partition.
    pub partition: PartitionId,
    /// The device acknowledged up to here.
    pub acked: Pos,
    /// The last position given in the partition.
    pub head: Pos,
}

/// The device is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginOk {
    /// Its account.
    pub account: AccountId,
    /// The account's name.
    pub name: Name,
    /// The log in which positions count.
    pub log: LogId,
    /// Every partition of the relay, in the order of their numbers.
    pub positions: Vec<Position>,
    /// Key packages the relay holds for it.
    #[serde(default)]
    pub key_packages: Vec<KeyPackageCount>,
    /// The relay's clock.
    pub time: Millis,
    /// Where the relay's nodes are, in the order in which this device is to try them (rule `NOD-1`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// Where the relay's nodes are from now on (rule `NOD-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    /// `host:port`, in the order in which this device is to try them.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// Starts delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// From where, in each partition.
    pub cursors: Vec<Cursor>,
}

/// Everything of a partition up to `pos` is stored by the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The partition.
    pub partition: PartitionId,
    /// The position.
    pub pos: Pos,
}

/// A request and its number in this connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Chosen by the client, echoed in the answer (rule `REQ-1`).
    pub id: u64,
    /// What is asked.
    pub request: Request,
}

/// An answer and the number of its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The request's number.
    pub id: u64,
    /// The answer.
    pub answer: Answer,
}

/// Delivery has reached what was there in a partition when the device attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// The partition.
    pub partition: PartitionId,
    /// Up to here nothing is missing.
    pub pos: Pos,
}

/// Keeps a quiet connection alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ping {}

/// The peer broke a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The rule of SPEC.md.
    pub rule: String,
    /// One sentence for people.
    pub message: String,
    /// Whether the relay closes the connection after this.
    pub fatal: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

crate::wire_code! {
    /// Why a relay ends a connection.
    pub enum GoodbyeReason {
        /// The relay stops or restarts.
        0 = ShuttingDown,
        /// The same device logged in on another connection.
        1 = Replaced,
        /// Nothing was heard for too long.
        2 = Silent,
        /// Too many connections.
        3 = Full,
    }
}

/// The relay is about to close the connection; nobody is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goodbye {
    /// Why.
    pub reason: GoodbyeReason,
    /// Come back no sooner than this, in milliseconds.
    #[serde(default)]
    pub retry_after_ms: u64,
}

crate::wire_enum! {
    /// What a client sends.
    pub enum ClientFrame {
        /// First.
        0 = Hello(Hello),
        /// After hello-ok.
        1 = Login(Login),
        /// Instead of a login.
        2 = Register(Register),
        /// After login-ok, once.
        3 = Attach(Attach),
        /// After attach.
        4 = Ack(Ack),
        /// After login-ok.
        5 = Request(Asked),
        /// Any time.
        6 = Ping(Ping),
        /// After hello-ok, instead of a login.
        7 = Meet(Meet),
        /// After hello-ok, before `Recover`.
        8 = Claim(Claim),
        /// After `Claimed`, instead of a login.
        9 = Recover(Recover),
    }
}

crate::wire_enum! {
    /// What a relay sends.
    pub enum RelayFrame {
        /// Answers hello.
        0 = HelloOk(HelloOk),
        /// Answers login and register.
        1 = LoginOk(LoginOk),
        /// Login or registration was refused; the connection stays in its state.
        2 = LoginRefused(Refusal),
        /// An envelope.
        3 = Deliver(Envelope),
        /// Caught up.
        4 = CaughtUp(CaughtUp),
        /// Answers a request.
        5 = Answer(Answered),
        /// Answers ping.
        6 = Pong(Ping),
        /// The client broke a rule.
        7 = Fault(Fault),
        /// The relay closes.
        8 = Goodbye(Goodbye),
        /// From the other side of a meeting.
        9 = Met(Meet),
        /// Answers a claim.
        10 = Claimed(Account),
        /// After login-ok, when the relay's nodes are others than before.
        11 = Nodes(Nodes),
    }
}

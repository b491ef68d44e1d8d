//! The history that an old device hands to a new one of the same account (rules `HIS-*`): the list of its parts, and what
//! a part holds. Sealing and moving them is the business of others.

use crate::content::Chunk;
use crate::group::ChatKind;
use crate::request::Origin;
use crate::{AccountId, ChatId, DeviceId, LogId, MessageId, Millis, RequestId, Seq};
use serde::{Deserialize, Serialize};

/// The list of a history's parts (rule `HIS-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The transfer it belongs to.
    pub transfer: RequestId,
    /// The parts; the newest messages come first.
    pub chunks: Vec<Chunk>,
    /// Messages in all of them.
    pub messages: u64,
    /// Chats they are of.
    pub chats: u64,
}

/// Messages, and what is needed to place them: a part stands for itself (rule `HIS-3`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The relay's log that the old device knows; places are compared within one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogId>,
    /// Chats that the messages name by their number here.
    pub chats: Vec<PastChat>,
    /// Authors, likewise.
    pub authors: Vec<Author>,
    /// The messages.
    pub messages: Vec<Past>,
}

/// A chat as the old device knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastChat {
    /// Its id.
    pub chat: ChatId,
    /// What it is.
    pub kind: ChatKind,
    /// The other account of a direct chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<AccountId>,
    /// A group's or channel's title.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What a group's or channel's id was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Place = shift + seq, for what comes now.
    pub shift: u64,
    /// Read up to this place.
    pub read: u64,
    /// The account is not in it any more.
    #[serde(default)]
    pub left: bool,
}

/// Who wrote, and on which device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Author {
    /// The account.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
}

/// A message of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Its chat, by number.
    pub chat: u64,
    /// Its author, by number.
    pub by: u64,
    /// Its id on that device.
    pub id: MessageId,
    /// Its number in the log that first had it.
    pub seq: Seq,
    /// Its place in the chat's history.
    pub place: u64,
    /// The text.
    pub text: String,
    /// The author's clock.
    pub sent: Millis,
    /// The relay's clock.
    pub time: Millis,
}

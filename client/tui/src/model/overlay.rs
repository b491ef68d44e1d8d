//! What lies over the chats and takes the keys until it is closed.

use crate::data::devices::{Admission, Code, Device};
use crate::data::{Group, Info, Kind, Reader, Unsent};
use aside_protocol::{AccountId, DeviceId};

/// One at a time.
#[derive(Debug)]
pub enum Overlay {
    /// The keys; scrolled down so many rows.
    Help(u16),
    /// Finding a chat, or beginning one.
    Switcher(Switcher),
    /// What is known of a contact; also where a new key is accepted.
    Info {
        /// Whose.
        peer: AccountId,
        /// None until it was read.
        info: Option<Info>,
        /// Rows scrolled down.
        down: u16,
    },
    /// What was not sent.
    Unsent {
        /// Whose chat.
        peer: AccountId,
        /// Oldest first; none until it was read.
        items: Option<Vec<Unsent>>,
        /// Why the relay does not take it, if it said so.
        why: Option<String>,
        /// The chosen one.
        cursor: usize,
    },
    /// Who is in a group or channel; also where it is changed.
    Group(Members),
    /// A group or channel is made, or people are added to one.
    Chooser(Chooser),
    /// Who has received and read a message.
    Readers {
        /// Whose chat.
        peer: AccountId,
        /// Which message.
        row: i64,
        /// None until it was read.
        readers: Option<Vec<Reader>>,
        /// Rows scrolled down.
        down: u16,
    },
    /// The link with which others join a channel.
    Link {
        /// Which channel.
        peer: AccountId,
        /// None until it was read.
        link: Option<Code>,
    },
    /// The user's devices; also where another one is let in.
    Devices(Devices),
    /// How things stand with the relay, at length.
    Connection,
}

/// Who is in a group or channel.
#[derive(Debug)]
pub struct Members {
    /// Which one.
    pub peer: AccountId,
    /// None until it was read.
    pub group: Option<Group>,
    /// The chosen member.
    pub cursor: usize,
    /// What is to be confirmed or written first.
    pub asking: Option<Asking>,
}

/// The user's devices.
#[derive(Debug, Default)]
pub struct Devices {
    /// None until they were read.
    pub list: Option<Vec<Device>>,
    /// The chosen one.
    pub cursor: usize,
    /// The one that is to be removed, if the user confirms it, and what it is called.
    pub revoking: Option<(DeviceId, String)>,
    /// Another one is being let in.
    pub admission: Option<Admission>,
    /// The user has agreed to the one that asks, and chooses the messages it gets.
    pub agreed: bool,
}

impl Devices {
    /// Whether nothing is being asked or done.
    pub fn is_idle(&self) -> bool {
        self.revoking.is_none() && self.admission.is_none()
    }
}

/// A question before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asking {
    /// Whether to remove somebody.
    Remove(AccountId, String),
    /// Whether to make somebody an owner, who may then do everything.
    Owner(AccountId, String),
    /// Whether to leave.
    Leave,
    /// What to call it.
    Rename(String),
}

/// People are chosen by some letters of their names.
#[derive(Debug)]
pub struct Chooser {
    /// What for.
    pub purpose: Purpose,
    /// What was typed.
    pub query: String,
    /// People known who fit, the best first.
    pub hits: Vec<AccountId>,
    /// The chosen line; after the last hit comes the offer to look the query up.
    pub cursor: usize,
    /// Who was chosen so far, by name.
    pub chosen: Vec<(AccountId, String)>,
    /// The name being looked up.
    pub looking: Option<String>,
    /// Why the last one was not found, or what is missing.
    pub failed: Option<String>,
}

/// What people are chosen for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The title of a new group or channel is being written; people come next.
    Title(Kind),
    /// A new one of this kind and title.
    Make(Kind, String),
    /// Those who come into this one.
    Add(AccountId),
}

/// Finding a chat by some letters of its name, or looking a new name up.
#[derive(Debug, Default)]
pub struct Switcher {
    /// What was typed.
    pub query: String,
    /// Chats that fit, the best first.
    pub hits: Vec<AccountId>,
    /// The chosen line; after the last hit comes the offer to look the query up as a name.
    pub cursor: usize,
    /// The name being looked up.
    pub looking: Option<String>,
    /// Why the last one was not found.
    pub failed: Option<String>,
}

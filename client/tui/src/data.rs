//! What is shown, as the store's side hands it over. Texts are as peers wrote them: made harmless where they are drawn.

pub mod devices;

use aside_protocol::{AccountId, Millis};

/// Where an entry stands in its conversation; sorts oldest first.
///
/// A contact whose key changed has one conversation made of several chats: `part` counts them, the oldest is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which of the conversation's chats.
    pub part: u32,
    /// Place in that chat.
    pub place: u64,
    /// Among equal places, the message's row; 0 for what is no message.
    pub row: i64,
}

/// How far an own message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// In the outbox.
    Pending,
    /// Durable at the relay.
    Sent,
    /// Stored by a device of the other account.
    Delivered,
    /// Read there.
    Read,
}

/// One thing in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub key: Key,
    /// The relay's time, or the own clock's while pending. None for what has no time of its own.
    pub time: Option<Millis>,
    /// What it is.
    pub what: What,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Own text.
    Own {
        /// As it was written.
        text: String,
        /// How far it has come.
        progress: Progress,
    },
    /// Somebody else's text.
    Peer {
        /// As it was written.
        text: String,
        /// Who wrote it; none in a chat of two, where it is the other one.
        by: Option<Author>,
    },
    /// A notice of this program.
    Notice {
        /// A sentence.
        text: String,
    },
    /// Places that cannot be shown.
    Gap {
        /// How many.
        count: u64,
        /// Why: goes on after "3 messages".
        why: &'static str,
    },
    /// From here on the other one's key is another.
    KeyChanged,
}

/// Who wrote something in a group or channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The account.
    pub account: AccountId,
    /// Its name, or what stands for it.
    pub name: String,
}

/// What a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With one other person.
    Direct,
    /// Of several; all write.
    Group,
    /// Of many; owners and admins write.
    Channel,
}

impl Kind {
    /// What stands before its name.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Direct => "",
            Self::Group => "#",
            Self::Channel => "»",
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Direct => "chat",
            Self::Group => "group",
            Self::Channel => "channel",
        }
    }
}

/// What somebody may do in a group or channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Writes in groups, reads in channels.
    Member,
    /// Adds and removes members, renames, writes in channels.
    Admin,
    /// Also gives roles.
    Owner,
}

impl Role {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

/// A part of a conversation, without holes, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// There are older ones.
    pub older: bool,
    /// There are newer ones.
    pub newer: bool,
    /// The first message of the other one that is not marked as read; none if all are.
    pub unread_from: Option<Key>,
}

/// A line of the chat list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// The other account, the one in use if the key changed; what a conversation is known by.
    pub peer: AccountId,
    /// Its name, or a group's or channel's title.
    pub name: String,
    /// What the chat is. A group or channel is known by its own id.
    pub kind: Kind,
    /// What the user may do in a group or channel; none: not in it any more.
    pub role: Option<Role>,
    /// Messages not read.
    pub unread: u64,
    /// The newest message's text.
    pub last: Option<String>,
    /// Whether it is an own one.
    pub last_own: bool,
    /// Who wrote it, in a group or channel.
    pub last_by: Option<String>,
    /// Its time.
    pub time: Option<Millis>,
    /// Own messages that the relay does not have yet.
    pub pending: u64,
    /// Whether a text was begun and not sent.
    pub draft: bool,
    /// Whether one was begun on another device of the user.
    pub draft_elsewhere: bool,
    /// Whether the name leads to a new key that nobody has decided about; nothing is sent until then.
    pub key_changed: bool,
    /// Whether what is unread in it is not counted elsewhere.
    pub muted: bool,
}

impl Chat {
    /// Its name with the mark of its kind.
    pub fn label(&self) -> String {
        format!("{}{}", self.kind.mark(), self.name)
    }

    /// Why nothing can be written here, if so.
    pub fn silence(&self) -> Option<&'static str> {
        match (self.kind, self.role) {
            (Kind::Direct, _) => None,
            (Kind::Group, None) => Some("You are not in this group any more."),
            (Kind::Channel, None) => Some("You are not in this channel any more."),
            (Kind::Channel, Some(Role::Member)) => Some("Only owners and admins write in this channel."),
            _ => None,
        }
    }
}

/// A group or channel and who is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What it is called.
    pub title: String,
    /// Group or channel.
    pub kind: Kind,
    /// What the user may do; none: not in it any more.
    pub role: Option<Role>,
    /// The beginning of its id, hexadecimal.
    pub id: String,
    /// Owners first, then by name.
    pub members: Vec<Member>,
    /// What is not in effect yet, a few words each.
    pub due: Vec<String>,
}

/// Somebody in a group or channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// Its name, or what stands for it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it is the user's own.
    pub own: bool,
    /// How many devices it has.
    pub devices: usize,
    /// Whether its safety number was compared.
    pub verified: bool,
    /// Whether its name leads to another key than before.
    pub key_changed: bool,
}

/// A change of a group or channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChange {
    /// These come in.
    Add(Vec<AccountId>),
    /// This one goes.
    Remove(AccountId),
    /// This one gets a role.
    Role(AccountId, Role),
    /// It is called so.
    Rename(String),
    /// The user goes.
    Leave,
}

/// How far somebody has come with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub name: String,
    /// How far.
    pub progress: Progress,
}

/// What is known of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Its name.
    pub name: String,
    /// The account's id, hexadecimal.
    pub account: String,
    /// How many devices it has.
    pub devices: usize,
    /// Whether the user has compared the safety number.
    pub verified: bool,
    /// 60 digits, from the own root key and the one in use.
    pub safety_number: String,
    /// The account that has the name now, if nobody has decided about its key, and the safety number with it.
    pub rival: Option<(AccountId, String)>,
    /// How the encryption of the chat stands, a sentence.
    pub state: &'static str,
}

/// An own message that the relay does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Its row.
    pub row: i64,
    /// Its text.
    pub text: String,
    /// When it was written.
    pub time: Millis,
    /// Whether it can still be taken back: it has never left this device.
    pub deletable: bool,
}

/// How things stand with the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Not yet, but trying.
    Connecting,
    /// Connected, over this transport.
    Online {
        /// `QUIC` or `WebSocket`.
        transport: &'static str,
        /// Whether the queue is caught up with.
        caught_up: bool,
    },
    /// Not now; tried again by itself.
    Offline {
        /// What happened.
        why: String,
    },
    /// Not until a person acts.
    Stopped {
        /// What happened, and what to do.
        why: String,
        /// Whether it is because the relay is not the one of the invite.
        wrong_relay: bool,
    },
    /// This device failed, for example because the disk is full; tried again by itself.
    Failed {
        /// What happened, and what to do.
        why: String,
    },
}

/// Who uses this profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
}

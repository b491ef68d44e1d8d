//! What can happen: the user's doing, the passing of time, and results of [`crate::Cmd`]s.

use crate::data::devices::{Admission, Code, Device, Moving};
use crate::data::{Chat, Group, Info, Link, Me, Page, Reader, Unsent};
use crate::setup;
use aside_protocol::{AccountId, Millis};
use crossterm::event::{KeyEvent, MouseEvent};

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The wheel was turned, or a button pressed.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The terminal has the focus, or has lost it.
    Focus(bool),
    /// It is this late; comes about once a second.
    Tick(Millis),
    /// The profile is open.
    Opened {
        /// Who uses it.
        me: Me,
        /// The name of the contact whose conversation is wanted first.
        wanted: Option<String>,
    },
    /// The profile cannot be opened, or must not be used on: what happened, and what to do.
    Closed(crate::closed::Closed),
    /// Something in the store changed.
    Changed,
    /// How things stand with the relay.
    Link(Link),
    /// The chat list, the most recent first.
    Chats(Vec<Chat>),
    /// A part of a conversation.
    Loaded {
        /// Whose.
        peer: AccountId,
        /// As it was asked.
        turn: u64,
        /// What there is.
        page: Page,
        /// What was being written when the program last ended or the chat was last left.
        draft: String,
    },
    /// What is known of a contact.
    Info(AccountId, Info),
    /// Who is in a group or channel.
    Group(AccountId, Group),
    /// Who has received and read a message.
    Readers(i64, Vec<Reader>),
    /// A group or channel was made, or why not.
    Made(Result<AccountId, String>),
    /// The link of a channel, or why there is none.
    ChannelLink(AccountId, Result<Code, String>),
    /// The user's devices, the oldest first.
    Devices(Vec<Device>),
    /// Letting a device in has come so far.
    Admission(Admission),
    /// History is on its way between two own devices; none: not any more.
    Moving(Option<Moving>),
    /// A change was not accepted: why, and what to do.
    Denied(String),
    /// What was not sent yet, oldest first, and why the relay does not take it, if it said so.
    Unsent(AccountId, Vec<Unsent>, Option<String>),
    /// A message was not accepted.
    Refused {
        /// For whom it was.
        peer: AccountId,
        /// Its text.
        text: String,
        /// Why, and what to do.
        why: String,
    },
    /// A message was taken back, or why it could not be.
    Withdrawn(AccountId, Result<(), String>),
    /// Whom a name stands for, or why that is not known.
    Found(String, Result<AccountId, String>),
    /// Something could not be read or stored: what happened, and what to do.
    Failed(String),
    /// Something of the first run.
    Setup(setup::Heard),
}

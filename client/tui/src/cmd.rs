//! What [`crate::update`] wants done outside. Nothing here waits; results come back as [`crate::Msg`]s.

use crate::data::devices::Decision;
use crate::data::{GroupChange, Key, Kind};
use crate::setup;
use aside_protocol::channel::ChannelLink;
use aside_protocol::{AccountId, DeviceId};

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cmd {
    /// Read the chat list; answered by [`crate::Msg::Chats`].
    LoadChats,
    /// Read a part of a conversation; answered by [`crate::Msg::Loaded`].
    Load {
        /// Whose.
        peer: AccountId,
        /// Comes back with the answer: which opening of the conversation it is for.
        turn: u64,
        /// Which part.
        span: Span,
        /// Entries wanted on each side of what `span` names.
        reach: u32,
    },
    /// Read what is known of a contact; answered by [`crate::Msg::Info`].
    LoadInfo(AccountId),
    /// Read who is in a group or channel; answered by [`crate::Msg::Group`].
    LoadGroup(AccountId),
    /// Read who has received and read a message; answered by [`crate::Msg::Readers`].
    LoadReaders {
        /// Whose chat.
        peer: AccountId,
        /// Which message.
        row: i64,
    },
    /// Somebody looks at how far messages of a chat have come: in large groups the relay must be asked.
    LookAtReceipts(AccountId),
    /// Make a group or channel; answered by [`crate::Msg::Made`].
    MakeGroup {
        /// Group or channel.
        kind: Kind,
        /// What it is called.
        title: String,
        /// Who is in it.
        members: Vec<AccountId>,
    },
    /// Change a group or channel; a refusal is answered by [`crate::Msg::Denied`].
    ChangeGroup {
        /// Which one.
        peer: AccountId,
        /// How.
        change: GroupChange,
    },
    /// Make or read the link with which others join a channel; answered by [`crate::Msg::ChannelLink`].
    ShowLink(AccountId),
    /// End the link of a channel: nobody joins with it any more.
    DropLink(AccountId),
    /// Ask to be let into a channel; answered by [`crate::Msg::Made`].
    Join(ChannelLink),
    /// The user has compared the safety number with somebody, or takes that back.
    Verify {
        /// With whom.
        peer: AccountId,
        /// Whether both saw the same.
        same: bool,
    },
    /// Read which devices the user has; answered by [`crate::Msg::Devices`].
    LoadDevices,
    /// Begin to let another device in; answered by [`crate::Msg::Admission`], as often as it comes further.
    Admit,
    /// What the user decided about the device that asks.
    Decide(Decision),
    /// Nobody is to be let in any more.
    EndAdmission,
    /// Remove a device of the user's for good; a refusal is answered by [`crate::Msg::Denied`].
    Revoke(DeviceId),
    /// Announce nothing of a chat, or announce it again, on all own devices.
    Mute {
        /// Whose.
        peer: AccountId,
        /// Whether it is muted from now on.
        on: bool,
    },
    /// Read what was not sent yet; answered by [`crate::Msg::Unsent`].
    LoadUnsent(AccountId),
    /// Store a message for sending, and forget the chat's draft in the same transaction. A refusal is answered by
    /// [`crate::Msg::Refused`].
    Send {
        /// To whom.
        peer: AccountId,
        /// What.
        text: String,
    },
    /// Everything up to this entry was on the screen while somebody could see it.
    MarkRead {
        /// Whose messages.
        peer: AccountId,
        /// The newest one seen.
        up_to: Key,
    },
    /// Keep what is being written; empty means there is nothing.
    SaveDraft {
        /// For whom.
        peer: AccountId,
        /// The text.
        text: String,
    },
    /// Find out whom a name stands for; answered by [`crate::Msg::Found`].
    LookUp(String),
    /// The user accepts the new key behind a name: that of the account whose safety number was shown.
    AcceptKey {
        /// Whose conversation.
        peer: AccountId,
        /// The account with the new key.
        rival: AccountId,
    },
    /// Try at once what waits for its next attempt: the connection, and what was not sent.
    Retry,
    /// Take back a message that has never left this device; answered by [`crate::Msg::Withdrawn`].
    Withdraw {
        /// Whose chat.
        peer: AccountId,
        /// Which message.
        row: i64,
    },
    /// Something of the first run.
    Setup(setup::Ask),
    /// Forget what the terminal shows and draw everything anew.
    Redraw,
    /// Try to open the profile again; answered by [`crate::Msg::Opened`], [`crate::Msg::Closed`] or
    /// [`setup::Heard`] in [`crate::Msg::Setup`].
    Reopen,
    /// Give the terminal back and stop, as Ctrl-Z does.
    Suspend,
    /// Leave.
    Quit,
}

/// A part of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    /// The newest entries.
    Newest,
    /// What lies around the first unread message; the newest entries if there is none.
    Unread,
    /// What lies around an entry.
    Around(Key),
}

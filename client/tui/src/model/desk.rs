//! The chats: the list, the open conversation, and what lies over them.

use super::{Conversation, Overlay};
use crate::data::{Chat, Me};
use aside_protocol::AccountId;

/// Which half takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The chat list.
    List,
    /// The composer of the open conversation.
    Composer,
}

/// All that a user with a profile sees.
#[derive(Debug)]
pub struct Desk {
    /// Who uses it.
    pub me: Me,
    /// The chat list, the most recent first; none until it was read once.
    pub chats: Option<Vec<Chat>>,
    /// The name of the contact whose conversation is opened as soon as the list is there.
    pub wanted: Option<String>,
    /// The chat the list's cursor is on; stays with its chat when the order changes.
    pub cursor: Option<AccountId>,
    /// Which half takes the keys.
    pub focus: Focus,
    /// The open conversation.
    pub open: Option<Conversation>,
    /// What lies over everything.
    pub overlay: Option<Overlay>,
    /// Messages that were not taken while their chats were not open.
    pub returned: Vec<(AccountId, String)>,
    /// How many conversations were opened so far.
    pub turns: u64,
    /// A read of the chat list is under way; true if it is out of date already.
    pub loading: Option<bool>,
}

impl Desk {
    /// Before anything was read.
    pub fn new(me: Me) -> Self {
        Self {
            me,
            chats: None,
            wanted: None,
            cursor: None,
            focus: Focus::List,
            open: None,
            overlay: None,
            returned: Vec::new(),
            turns: 0,
            loading: None,
        }
    }

    /// The chats known so far.
    pub fn list(&self) -> &[Chat] {
        self.chats.as_deref().unwrap_or_default()
    }

    /// The line of a chat.
    pub fn chat(&self, peer: &AccountId) -> Option<&Chat> {
        self.list().iter().find(|chat| chat.peer == *peer)
    }

    /// Where the list's cursor is.
    pub fn cursor_index(&self) -> usize {
        let at = |peer: AccountId| self.list().iter().position(|chat| chat.peer == peer);
        self.cursor.and_then(at).unwrap_or(0)
    }

    /// Own messages that the relay does not have yet, in all chats.
    pub fn pending(&self) -> u64 {
        self.list().iter().map(|chat| chat.pending).sum()
    }

    /// Messages not read, in all chats but the open one and those that are muted.
    pub fn unread_elsewhere(&self) -> u64 {
        let open = self.open.as_ref().map(|open| open.peer);
        self.list().iter().filter(|chat| Some(chat.peer) != open && !chat.muted).map(|chat| chat.unread).sum()
    }
}

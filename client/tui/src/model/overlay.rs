//! What lies over the chats and takes the keys until it is closed.

use crate::data::{Info, Unsent};
use aside_protocol::AccountId;

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
    /// How things stand with the relay, at length.
    Connection,
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

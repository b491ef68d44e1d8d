//! Requests that only read, and how a reader answers them.

use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Chats, Lookup, Range, Receipts, Routing};
use aside_protocol::{DeviceId, Refusal};
use aside_relay_core::View;

/// A request that only reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Find an account.
    Lookup(Lookup),
    /// Envelopes again.
    Range(Range),
    /// Where a chat goes.
    Routing(Routing),
    /// The account's chats.
    Chats(Chats),
    /// Receipts of a chat.
    Receipts(Receipts),
}

impl Query {
    /// What the device that asks is told.
    pub fn answer(&self, view: &View<'_>, device: &DeviceId) -> rusqlite::Result<Answer> {
        let found = match self {
            Self::Lookup(lookup) => view.account(lookup)?.map(Answer::Account),
            Self::Range(range) => view.range(device, range)?.map(Answer::Envelopes),
            Self::Routing(routing) => view.routing(device, &routing.chat)?.map(Answer::Routing),
            Self::Chats(chats) => Some(Answer::Chats(view.chats(device, chats)?)),
            Self::Receipts(receipts) => view.receipts(device, receipts)?.map(Answer::Receipts),
        };
        Ok(found.unwrap_or_else(|| Answer::Refused(self.nothing())))
    }

    fn nothing(&self) -> Refusal {
        match self {
            Self::Receipts(_) => Refusal::NotMember(Plain {}),
            _ => Refusal::NotFound(Plain {}),
        }
    }
}

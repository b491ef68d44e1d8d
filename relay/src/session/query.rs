//! Requests that only read, and how the partitions' states answer them.

use crate::readers::{Snapshot, States};
use aside_protocol::limits::CHATS_PAGE;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Chats, ChatsOf, Lookup, Range, Receipts, Routing};
use aside_protocol::{DeviceId, Refusal};
use aside_relay_core::CoreError;

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
    /// What the device that asks is told: by the directory about accounts, by a chat's partition about the chat.
    pub fn answer<S: Snapshot>(&self, states: &States<S>, device: &DeviceId) -> Result<Answer, CoreError> {
        let found = match self {
            Self::Lookup(lookup) => states.directory().snapshot(|view| view.account(lookup))?.map(Answer::Account),
            Self::Range(range) => {
                let state = states.of_chat(&range.chat);
                state.snapshot(|view| view.range(device, range))?.map(Answer::Envelopes)
            }
            Self::Routing(routing) => {
                let state = states.of_chat(&routing.chat);
                state.snapshot(|view| view.routing(device, &routing.chat))?.map(Answer::Routing)
            }
            Self::Chats(chats) => Some(Answer::Chats(chats_of(states, device, chats)?)),
            Self::Receipts(receipts) => {
                let state = states.of_chat(&receipts.chat);
                state.snapshot(|view| view.receipts(device, receipts))?.map(Answer::Receipts)
            }
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

/// A page of the chats of all partitions.
fn chats_of<S: Snapshot>(states: &States<S>, device: &DeviceId, chats: &Chats) -> Result<ChatsOf, CoreError> {
    let pages = states.all().map(|(_, state)| state.snapshot(|view| view.chats(device, chats)));
    Ok(merge(pages.collect::<Result<_, _>>()?))
}

/// One page of several that all begin after the same chat, and of which each names its first chats. What does not fit
/// comes with the next page, as does whatever a page that has more left out: all of that lies behind what is in this one.
fn merge(pages: Vec<ChatsOf>) -> ChatsOf {
    let mut more = pages.iter().any(|page| page.more);
    let mut chats: Vec<_> = pages.into_iter().flat_map(|page| page.chats).collect();
    chats.sort_unstable_by_key(|found| found.chat);
    more |= chats.len() > CHATS_PAGE;
    chats.truncate(CHATS_PAGE);
    ChatsOf { chats, more }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;

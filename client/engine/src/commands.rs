//! What front ends ask: send, read, print. Each is one transaction; sending is done when it is stored.

use crate::error::Result;
use crate::outbox::quit;
use crate::step::Step;
use aside_protocol::group::{ChatKind, Role};
use aside_protocol::limits::MAX_TEXT;
use aside_protocol::{AccountId, MessageId, Name};
use aside_store::chats::{Chat, ChatRow, ChatState};
use aside_store::conversation::Spot;
use aside_store::messages::{Message, MessageRow, PENDING_PLACE};

/// A message in the outbox.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// Its row.
    pub row: MessageRow,
    /// Whether it was there already, under the same id.
    pub repeated: bool,
}

/// Why a message was not accepted; worded for people. The user's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too long: it has so many bytes, or more if it was not read to its end.
    #[error("the message is too long: at most {MAX_TEXT} bytes are allowed; send it in parts")]
    TooLong(usize),
    /// Nothing in it.
    #[error("the message is empty; give a text, or - to read it from standard input")]
    Empty,
    /// To a group that this account is not in.
    #[error("you are not in this group any more; ask one of its admins to add you")]
    NotIn,
    /// To a channel in which only others write.
    #[error("only owners and admins write in a channel")]
    ReadOnly,
    /// The name leads to another key, and nobody has decided.
    #[error(
        "{0} has a new key: perhaps a new account after a loss, perhaps somebody else. Nothing is sent until you accept \
         it; compare the safety number first"
    )]
    KeyChanged(Name),
    /// An account that wrote first, and whose name and devices are not known yet.
    #[error("it is not known yet who this is: the relay has been asked; try again in a moment")]
    Unknown,
}

impl Step<'_> {
    /// Stores a text for an account; it is sent when it can be. The same id again changes nothing.
    pub fn send_text(
        &mut self,
        to: &AccountId,
        id: MessageId,
        text: &str,
    ) -> Result<std::result::Result<Accepted, Refused>> {
        if let Some(message) = self.own_message(&id)? {
            return Ok(Ok(Accepted { row: message.row, repeated: true }));
        }
        if text.is_empty() {
            return Ok(Err(Refused::Empty));
        }
        if text.len() > MAX_TEXT {
            return Ok(Err(Refused::TooLong(text.len())));
        }
        let chat = self.chat_for(to)?;
        if let Some(refused) = self.may_not_write(&chat)? {
            return Ok(Err(refused));
        }
        let author = (&self.account, &self.me.device, &id);
        let row = self.tx.insert_pending(chat.row, author, text, self.now)?;
        self.tx.enqueue(chat.row, row, None)?;
        self.touch(chat.row);
        Ok(Ok(Accepted { row, repeated: false }))
    }

    /// Why nothing may be written in a chat, if so.
    fn may_not_write(&self, chat: &Chat) -> Result<Option<Refused>> {
        if chat.is_direct() {
            return Ok(None);
        }
        if chat.state == ChatState::Left || quit::is_leaving(self, chat)? {
            return Ok(Some(Refused::NotIn));
        }
        let role = self.role_of(chat, &self.account)?;
        let silent = chat.kind == ChatKind::Channel && role == Some(Role::Member);
        Ok(silent.then_some(Refused::ReadOnly))
    }

    /// This device's message with an id.
    pub fn own_message(&self, id: &MessageId) -> Result<Option<Message>> {
        Ok(self.tx.message_by_id(&self.me.device, id)?)
    }

    /// These messages were printed, and so read.
    pub fn printed(&mut self, rows: &[MessageRow]) -> Result<()> {
        self.tx.mark_printed(rows)?;
        for row in rows {
            if let Some(message) = self.tx.message(*row)? {
                self.read_up_to(message.chat, message.place)?;
            }
        }
        Ok(())
    }

    /// The user has seen a conversation up to a message of the other one, and so what came before it under the same key.
    /// What came under another key has spots of its own: the other one may still write there.
    pub fn seen_up_to(&mut self, peer: &AccountId, spot: Spot) -> Result<()> {
        let parts = self.tx.conversation(peer)?.parts;
        let chat = usize::try_from(spot.part).ok().and_then(|part| parts.get(part)).and_then(|part| part.chat);
        match chat {
            Some(row) if spot.cursor.place < PENDING_PLACE => self.read_up_to(row, spot.cursor.place),
            _ => Ok(()),
        }
    }

    /// The user has read a chat up to a place.
    pub fn read_up_to(&mut self, row: ChatRow, place: u64) -> Result<()> {
        if let Some(mut chat) = self.tx.chat_at(row)?.filter(|chat| chat.read_place < place) {
            chat.read_place = place;
            self.tx.save_chat(&chat)?;
            self.tell_read(&chat)?;
            self.touch(row);
        }
        Ok(())
    }
}

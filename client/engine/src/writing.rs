//! What a person writes, before it leaves: drafts, sending what was drafted, taking back what was not sent yet.

use crate::commands::{Accepted, Refused};
use crate::error::Result;
use crate::step::Step;
use crate::{Contact, accounts};
use aside_protocol::{AccountId, ChatId, MessageId};
use aside_store::messages::{MessageRow, Status};

/// Why a message cannot be taken back; worded for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWithdrawn {
    /// The relay has it, or may have it.
    #[error("this message has left this device, or may have: it can no longer be taken back")]
    Left,
    /// There is no such message of this account.
    #[error("this message is not there any more")]
    Gone,
}

impl Step<'_> {
    /// Keeps what is being written to whoever has an account's name now; an empty text is forgotten.
    pub fn save_draft(&mut self, to: &AccountId, text: &str) -> Result<()> {
        let to = self.tx.conversation(to)?.peer;
        let had = !self.tx.draft(&to)?.is_empty();
        self.tx.save_draft(&to, text, self.now)?;
        if had == text.is_empty() {
            self.tell_draft(&to, !had)?;
            self.changed();
        }
        Ok(())
    }

    /// Stores a text for whoever has an account's name now, and forgets what was drafted for it. Nothing is accepted
    /// while the name leads to a key that nobody has decided about.
    pub fn send_written(
        &mut self,
        to: &AccountId,
        id: MessageId,
        text: &str,
    ) -> Result<std::result::Result<Accepted, Refused>> {
        let to = match accounts::in_use(self, to)? {
            _ if self.is_group(to)? => *to,
            Contact::KeyChanged(change) => return self.keep_written(to, text, Refused::KeyChanged(change.now.name)),
            Contact::Account(account) => account.account,
            Contact::Unknown => return self.keep_written(to, text, Refused::Unknown),
        };
        let sent = self.send_text(&to, id, text)?;
        if sent.is_ok() {
            self.save_draft(&to, "")?;
        }
        Ok(sent)
    }

    /// Whether what stands for the other account is a group or channel.
    pub(crate) fn is_group(&self, to: &AccountId) -> Result<bool> {
        Ok(self.tx.chat(&ChatId(to.0))?.is_some_and(|chat| !chat.is_direct()))
    }

    /// What may be sent later is a draft again.
    fn keep_written(
        &mut self,
        to: &AccountId,
        text: &str,
        why: Refused,
    ) -> Result<std::result::Result<Accepted, Refused>> {
        self.save_draft(to, text)?;
        Ok(Err(why))
    }

    /// Takes back an own message that has never been encrypted; nothing is left of it.
    pub fn withdraw(&mut self, row: MessageRow) -> Result<std::result::Result<(), NotWithdrawn>> {
        let Some(message) = self.tx.message(row)?.filter(|message| message.own && !message.notice) else {
            return Ok(Err(NotWithdrawn::Gone));
        };
        let waiting = self.tx.outgoing_of(row)?;
        if message.status != Status::Pending || waiting.is_empty() || waiting.iter().any(|waiting| waiting.tried) {
            return Ok(Err(NotWithdrawn::Left));
        }
        self.tx.delete_message(row)?;
        self.touch(message.chat);
        Ok(Ok(()))
    }
}

//! The chats of an account that was recovered: asked for, and joined again one by one (rule `CHT-9`).
//!
//! The relay knows ids alone. What kind of chat one is and who is in it, this device learns from the welcome with which a
//! member's device answers its request to be added.

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_protocol::request::{Answer, ChatOf, Chats, ChatsOf, Request};
use aside_protocol::{ChatId, Millis};
use aside_store::chats::{ChatState, UNKNOWN_KIND};

/// Names the setting that says that the account's chats are still to be asked for.
pub const ADOPTING: &str = "adopting";

/// What that setting says on a device that was recovered.
pub const RECOVERED: &str = "1";
/// What it says on one that was linked.
pub const LINKED: &str = "2";

impl Step<'_> {
    /// Asks for the account's chats, if that is still to be done.
    pub(crate) fn begin_adoption(&mut self) -> Result<()> {
        if self.tx.setting(ADOPTING)?.is_some_and(|value| value != "0") {
            self.ask(Request::Chats(Chats::default()), Pending::Chats);
        }
        Ok(())
    }

    pub(crate) fn chats_answered(&mut self, answer: Answer) -> Result<()> {
        // Refused, it is asked for again on the next connection.
        let Answer::Chats(chats) = answer else { return Ok(()) };
        self.adopt_chats(&chats)?;
        match chats.chats.last().filter(|_| chats.more) {
            Some(last) => self.ask(Request::Chats(Chats { after: Some(last.chat) }), Pending::Chats),
            None => self.tx.set_setting(ADOPTING, "0")?,
        }
        Ok(())
    }

    /// Takes note of chats that this device is not in, and asks to be added to them.
    pub fn adopt_chats(&mut self, chats: &ChatsOf) -> Result<()> {
        for of in chats.chats.iter().filter(|of| !of.routed) {
            if self.tx.chat(&of.chat)?.is_none() {
                self.adopt(of)?;
            }
        }
        Ok(())
    }

    /// The chat with oneself has nobody left who could add this device: it is founded again on top of what stands.
    fn adopt(&mut self, of: &ChatOf) -> Result<()> {
        let oneself = ChatId::direct(&self.account, &self.account) == of.chat;
        let mut chat = match oneself {
            true => self.tx.direct_chat(&self.account, &self.account, self.now)?,
            false => self.tx.group_chat(&of.chat, UNKNOWN_KIND, self.now)?,
        };
        (chat.incarnation, chat.base, chat.seq) = (of.incarnation, of.base, of.last);
        // A linked device's welcomes are on their way from the own other devices; if one does not come, it asks.
        let linked = self.tx.setting(ADOPTING)?.is_some_and(|value| value == LINKED);
        if linked || !oneself {
            chat.enter(ChatState::AwaitingWelcome, self.now);
        }
        if !linked && !oneself {
            // No welcome is due: this device asks at once (rule `REJ-1`).
            chat.since = Millis(self.now.0.saturating_sub(self.config.welcome_patience_ms));
        }
        self.tx.save_chat(&chat)?;
        self.touch(chat.row);
        Ok(())
    }
}

//! The chats of an account that was recovered: asked for, and joined again one by one (rule `CHT-9`).
//!
//! The relay knows ids alone. What kind of chat one is and who is in it, this device learns from the welcome with which a
//! member's device answers its request.

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_crypto::rejoin::sign_rejoin;
use aside_protocol::rejoin::{RejoinRequest, SeqRange};
use aside_protocol::request::{Answer, Chats, ChatsOf, Rejoin, Request, Suite};
use aside_protocol::{ChatId, Millis, Seq};
use aside_store::adopted::Adopted;

/// Names the setting that says that the account's chats are still to be asked for.
pub const ADOPTING: &str = "adopting";

/// The longest time between two requests for one chat, in milliseconds (a day).
const LONGEST_REPEAT_MS: u64 = 24 * 3600 * 1000;

/// Most requests that wait for an answer at a time; others follow with the next tick.
const MOST_ASKED: usize = 32;

impl Step<'_> {
    /// Asks for the account's chats, if that is still to be done.
    pub(crate) fn begin_adoption(&mut self) -> Result<()> {
        if self.tx.setting(ADOPTING)?.is_some_and(|value| value == "1") {
            self.ask(Request::Chats(Chats::default()), Pending::Chats);
        }
        Ok(())
    }

    pub(crate) fn chats_answered(&mut self, answer: Answer) -> Result<()> {
        let Answer::Chats(chats) = answer else { return Ok(()) };
        self.adopt_chats(&chats)?;
        match chats.chats.last().filter(|_| chats.more) {
            Some(last) => self.ask(Request::Chats(Chats { after: Some(last.chat) }), Pending::Chats),
            None => {
                self.tx.set_setting(ADOPTING, "0")?;
                self.ask_adopted()?;
            }
        }
        Ok(())
    }

    /// Takes note of chats that this device is not in, and asks to be added to them. The chat with oneself has nobody left
    /// who could do that: it is founded again on top of what stands.
    pub fn adopt_chats(&mut self, chats: &ChatsOf) -> Result<()> {
        let oneself = ChatId::direct(&self.account, &self.account);
        for of in chats.chats.iter().filter(|of| !of.routed) {
            match self.tx.chat(&of.chat)? {
                Some(_) => {}
                None if of.chat == oneself => {
                    let mut chat = self.tx.direct_chat(&self.account, &self.account, self.now)?;
                    (chat.incarnation, chat.base, chat.seq) = (of.incarnation, of.base, of.last);
                    self.tx.save_chat(&chat)?;
                    self.touch(chat.row);
                }
                None => self.tx.adopt(of, self.now)?,
            }
        }
        Ok(())
    }

    /// Asks the members of each such chat, when it is time to.
    pub(crate) fn ask_adopted(&mut self) -> Result<()> {
        if !self.link.caught_up {
            return Ok(());
        }
        let room = MOST_ASKED.saturating_sub(self.link.adopting.len());
        let mut due = self.tx.adopted()?;
        due.retain(|adopted| self.is_due(adopted) && !self.link.adopting.contains(&adopted.chat));
        for adopted in due.into_iter().take(room) {
            self.ask_to_be_added(&adopted)?;
        }
        Ok(())
    }

    /// Ever less often, as with any rejoin (rule `REJ-1`).
    fn is_due(&self, adopted: &Adopted) -> bool {
        let so_far = adopted.asked.0.saturating_sub(adopted.since.0).min(LONGEST_REPEAT_MS);
        let repeat = self.config.rejoin_repeat_ms.max(so_far);
        adopted.tries == 0 || adopted.asked > self.now || self.now.0 >= adopted.asked.0.saturating_add(repeat)
    }

    fn ask_to_be_added(&mut self, adopted: &Adopted) -> Result<()> {
        // Whether it is a channel shows only with the welcome: every other request has a key package for one.
        let suite = if adopted.tries.is_multiple_of(2) { Suite::XWing } else { Suite::Classical };
        let not_after = Millis(self.now.0.saturating_add(self.config.key_package_ms));
        let request = RejoinRequest {
            chat: adopted.chat,
            incarnation: adopted.incarnation,
            device: self.me.device,
            key_package: self.scope().key_package(suite, false, not_after)?,
            // What was said before is not for this device.
            missing: vec![SeqRange { from: adopted.last.next(), to: Seq::MAX }],
        };
        let body = sign_rejoin(&request, &self.me.key);
        self.link.adopting.insert(adopted.chat);
        self.ask(Request::Rejoin(Rejoin { chat: adopted.chat, body }), Pending::Adopted(adopted.chat));
        Ok(())
    }

    /// Whatever the relay says, the next request comes later: a chat without anybody in it may get somebody.
    pub(crate) fn adopted_answered(&mut self, chat: &ChatId) -> Result<()> {
        self.link.adopting.remove(chat);
        Ok(self.tx.adopted_asked(chat, self.now)?)
    }
}

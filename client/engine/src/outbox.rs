//! Decides what to send, from the tables alone. Whatever is asked here is asked again until it is answered.

pub(crate) mod commits;
pub(crate) mod drafts;
pub(crate) mod entering;
mod founding;
pub(crate) mod messages;
pub(crate) mod postponing;
pub(crate) mod quit;
mod receipts;
mod rejoins;

use self::drafts::Due;
use crate::effect::Effect;
use crate::error::Result;
use crate::inbox;
use crate::step::Step;
use aside_protocol::refusal::Refusal;
use aside_protocol::{Millis, Seq};
use aside_store::accounts::Trust;
use aside_store::chats::{Chat, ChatRow, ChatState};
use aside_store::tasks::TaskKind;

/// The longest pause after refusals that ask for patience, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 60_000;

impl Step<'_> {
    /// Sends what can be sent now. Runs at the end of every step; touches only chats that may have work.
    pub(crate) fn pump(&mut self) -> Result<()> {
        if !self.link.attached {
            return Ok(());
        }
        self.pump_lookups();
        self.pump_meeting();
        self.pump_own_list()?;
        self.pump_sync()?;
        self.pump_reads_ahead()?;
        self.pump_exports()?;
        self.pump_imports()?;
        for row in std::mem::take(&mut self.link.dirty) {
            self.pump_guarded(row)?;
        }
        self.pump_lookups();
        self.pump_key_packages()?;
        self.pump_leaves()?;
        let acks = self.link.acks(false);
        self.effects.extend(acks.into_iter().map(Effect::Send));
        Ok(())
    }

    /// A chat whose state makes this program fail pauses alone; nothing of the attempt is left, sent or asked.
    fn pump_guarded(&mut self, row: ChatRow) -> Result<()> {
        let Some(mut chat) = self.tx.chat_at(row)? else { return Ok(()) };
        let (tx, mark, effects) = (self.tx, self.link.mark(row), self.effects.len());
        let pumped: Result<()> = tx.attempt(|| {
            self.pump_chat(&mut chat)?;
            Ok(tx.save_chat(&chat)?)
        });
        match pumped {
            Err(error) if error.is_poison() => {
                self.groups.0.remove(&row);
                self.effects.truncate(effects);
                self.link.return_to(row, mark);
                self.pause(row, &Refusal::Invalid(Default::default()));
                Ok(())
            }
            other => other,
        }
    }

    fn pump_chat(&mut self, chat: &mut Chat) -> Result<()> {
        // A pause further off than any can be was set by a clock that has been put right since.
        let paused_until = self.link.chat(chat.row).paused_until;
        if paused_until > self.now && paused_until.0 <= self.now.0 + 2 * LONGEST_PAUSE_MS {
            return Ok(());
        }
        self.pump_held(chat)?;
        self.pump_unsure(chat)?;
        if self.waits_for_commit(chat)? {
            return Ok(());
        }
        // Nothing is encrypted or asked before the queue is read (rule WIN-4): it may hold the answer, or show that the
        // state here is an older copy.
        if !self.link.caught_up {
            return Ok(());
        }
        // Nothing is encrypted for a key that nobody has accepted, whatever waited before it showed.
        if chat.is_direct() && self.tx.account(&chat.peer)?.is_some_and(|peer| peer.trust == Trust::Pending) {
            return Ok(());
        }
        match chat.state {
            ChatState::Unfounded if entering::advance(self, chat)? => Ok(()),
            ChatState::Unfounded => founding::advance(self, chat),
            ChatState::Founding => commits::resend(self, chat),
            ChatState::AwaitingWelcome | ChatState::Broken if self.founds_again(chat)? => founding::advance(self, chat),
            ChatState::AwaitingWelcome | ChatState::Broken => rejoins::ask(self, chat),
            ChatState::Live => self.pump_live(chat),
            ChatState::Left => Ok(()),
        }
    }

    /// Nobody is left who could add this device, as far as is known, and it is this one's turn to found the group again: no
    /// welcome of another's founding is here already.
    fn founds_again(&self, chat: &Chat) -> Result<bool> {
        let task = self.tx.task(chat.row, TaskKind::Found, &[])?;
        Ok(!chat.is_direct() && task.is_some_and(|task| task.is_due(self.now)) && !self.tx.holds(chat.row)?)
    }

    fn pump_live(&mut self, chat: &mut Chat) -> Result<()> {
        if self.tx.proposed(chat.row)?.is_some() {
            commits::resend(self, chat)?;
        } else {
            self.pump_changes(chat)?;
        }
        self.pump_watch(chat);
        quit::advance(self, chat)?;
        receipts::advance(self, chat)
    }

    /// A change of the chat comes before messages, but after those that have numbers already: a commit's number comes after
    /// theirs, and it must not change the base under them.
    fn pump_changes(&mut self, chat: &mut Chat) -> Result<()> {
        match drafts::due(self, chat)? {
            Due::Nothing if quit::is_leaving(self, chat)? => Ok(()),
            Due::Nothing => {
                rejoins::send_missing(self, chat)?;
                messages::advance(self, chat, messages::Which::All)
            }
            Due::Ready(draft) if !self.tx.has_numbered_unsent(chat.row)? => {
                if commits::propose(self, chat, *draft)? {
                    commits::resend(self, chat)
                } else {
                    self.link.dirty.insert(chat.row);
                    Ok(())
                }
            }
            Due::Held | Due::Ready(_) => messages::advance(self, chat, messages::Which::Numbered),
        }
    }

    /// What is held first says what is waited for: an account, or numbers that were skipped.
    fn pump_held(&mut self, chat: &mut Chat) -> Result<()> {
        match self.tx.first_held(chat.row)?.map(|envelope| envelope.seq) {
            Some(Some(first)) if first > chat.seq.next() => self.ask_range(chat, Seq(first.0 - 1)),
            Some(_) => inbox::settle(self, chat)?,
            None => {}
        }
        Ok(())
    }

    /// The relay asked for patience, or cannot help now: this chat pauses, longer each time in a row.
    pub(crate) fn pause(&mut self, row: ChatRow, refusal: &Refusal) {
        let asked = match refusal {
            Refusal::Busy(wait) | Refusal::RateLimited(wait) | Refusal::Unavailable(wait) => wait.retry_after_ms,
            _ => 0,
        };
        self.link.trouble = Some(refusal.clone());
        let jitter = u64::from(u16::from_be_bytes(self.fresh())) % 500;
        let (now, chat) = (self.now, self.link.chat(row));
        let growing = 1000u64 << chat.patience.min(6);
        chat.patience = chat.patience.saturating_add(1);
        chat.trouble = Some(refusal.clone());
        chat.paused_until = Millis(now.0 + asked.max(growing).min(LONGEST_PAUSE_MS) + jitter);
    }
}

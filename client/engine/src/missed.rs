//! What a chat may have missed: numbers and commits that expired at the relay before this device could get them (rules
//! `GAP-1`, `GAP-5`). Asks for them, and knows when nothing more will come.

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_protocol::Seq;
use aside_protocol::limits::RETENTION_MS;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, Range, Request, Routing};
use aside_store::chats::{Chat, ChatState};

/// Shown when a change of the chat expired before this device could get it.
const MISSED: &str = "This device was away for longer than the relay keeps anything, and missed a change of this chat. \
     It joins this chat again.";

impl Step<'_> {
    /// Notes at a login that this device was away for longer than the relay keeps anything. What expired left no trace in
    /// the queue, so the note stays in the database until the relay has been asked, on whichever connection.
    pub(crate) fn note_absence(&mut self) -> Result<()> {
        // Renewed every week while there is a connection, so it tells how long there was none.
        if self.profile()?.last_resort.0.saturating_add(RETENTION_MS) <= self.now.0 {
            self.tx.note_absence()?;
        }
        self.link.unsure = self.tx.unsure()?.into_iter().collect();
        Ok(())
    }

    /// Asks how far an unsure chat is, then for what it lacks up to there.
    pub(crate) fn pump_unsure(&mut self, chat: &Chat) -> Result<()> {
        if !self.link.caught_up || !self.link.unsure.contains(&chat.row) {
            return Ok(());
        }
        let link = self.link.chat(chat.row);
        match link.stands {
            Some(stands) if chat.seq >= stands => {
                self.link.unsure.remove(&chat.row);
                self.tx.made_sure(chat.row)?;
            }
            Some(stands) if !self.tx.holds(chat.row)? => self.ask_range(chat, stands),
            None if !link.routing => {
                link.routing = true;
                self.ask(Request::Routing(Routing { chat: chat.chat }), Pending::Routing(chat.row));
            }
            _ => {}
        }
        Ok(())
    }

    /// Where a chat stands at the relay; the queue is read, so what lies between is gone or just coming.
    pub(crate) fn routing_answered(&mut self, chat: &Chat, answer: Answer) {
        let link = self.link.chat(chat.row);
        link.routing = false;
        match answer {
            Answer::Routing(routed) => {
                link.wait_base = link.wait_base.max(routed.base);
                link.stands = Some(routed.last);
            }
            // The relay tells this device nothing of the chat, and will send it nothing.
            Answer::Refused(Refusal::NotMember(_) | Refusal::NotFound(_)) => link.stands = Some(Seq(0)),
            Answer::Refused(refusal) => self.pause(chat.row, &refusal),
            _ => {}
        }
    }

    /// Whether a chat must not send before it has processed a commit it was told of. Once the queue is read that commit is
    /// asked for as well: it may be gone, and then nothing brings it. Told late, a broken chat does not wait.
    pub(crate) fn waits_for_commit(&mut self, chat: &mut Chat) -> Result<bool> {
        let base = self.link.chat(chat.row).wait_base;
        if chat.state != ChatState::Live || chat.base >= base {
            return Ok(false);
        }
        if base <= chat.seq {
            // Processed up to there, and the commit was not among it: it lies in a gap.
            self.break_chat(chat, MISSED)?;
            return Ok(false);
        }
        if self.link.caught_up && !self.tx.holds(chat.row)? {
            self.ask_range(chat, base);
        }
        Ok(true)
    }

    /// Asks the relay for numbers that were skipped.
    pub(crate) fn ask_range(&mut self, chat: &Chat, to: Seq) {
        let from = chat.seq.next();
        let link = self.link.chat(chat.row);
        if !link.range {
            link.range = true;
            let request = Request::Range(Range { chat: chat.chat, from, to });
            self.ask(request, Pending::Range(chat.row, to));
        }
    }
}

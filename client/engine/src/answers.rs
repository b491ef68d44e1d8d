//! What the relay answers, and what follows from it (rules `REF-*`). Answers may come late: each is judged by its number.

use crate::error::Result;
use crate::link::Pending;
use crate::outbox::{entering, postponing, quit};
use crate::rules::Change;
use crate::step::Step;
use crate::{accounts, inbox};
use aside_protocol::content::Watermarks;
use aside_protocol::group::Roster;
use aside_protocol::refusal::{Exists, Refusal};
use aside_protocol::request::{Answer, Request, Sent};
use aside_protocol::{Hash, N, Seq, codec};
use aside_store::chats::{Chat, ChatRow, ChatState};
use aside_store::outbox::Proposed;
use aside_store::tasks::TaskKind;

/// Shown when the relay has other bytes under a number than this device.
const CONFLICT: &str = "The relay knows messages from this device that its history lacks: the history is an older copy. \
     It joins this chat again with new keys.";

/// Shown when the relay does not know this device in a group any more.
const NOT_IN: &str = "You are not in this chat any more.";

/// Shown when an own commit is so old that the relay no longer holds it.
const AWAY: &str = "This device was away for longer than the relay keeps anything. It joins this chat again.";

impl Step<'_> {
    /// Takes one answer.
    pub(crate) fn answer(&mut self, about: Pending, answer: Answer) -> Result<()> {
        self.changed();
        let row = match about {
            Pending::Name(name) => return accounts::name_answered(self, name, answer),
            Pending::Account(account) => return accounts::account_answered(self, account, answer),
            Pending::Uploaded(hashes) => return self.uploaded(&hashes, answer),
            Pending::OwnList(list) => return self.own_list_answered(&list, answer),
            Pending::Chats => return self.chats_answered(answer),
            Pending::Meeting(id) => {
                self.meeting_answered(id, answer);
                return Ok(());
            }
            Pending::Route | Pending::Told => return Ok(()),
            Pending::Packages(account, suite) => return self.packages_answered(account, suite, answer),
            Pending::Leave(blob) => return self.leave_answered(&blob, answer),
            Pending::Message(row, ..)
            | Pending::Proposed(row, _)
            | Pending::Receipt(row, _)
            | Pending::Rejoin(row)
            | Pending::Range(row, _)
            | Pending::Quit(row)
            | Pending::Enter(row)
            | Pending::Watch(row)
            | Pending::Receipts(row)
            | Pending::Routing(row) => row,
        };
        let Some(mut chat) = self.tx.chat_at(row)? else { return Ok(()) };
        self.link.dirty.insert(row);
        match about {
            Pending::Message(_, n, numbering) if numbering == self.link.chat(row).numbering => {
                self.message_answered(&mut chat, n, answer)?;
            }
            Pending::Proposed(_, hash) => self.proposed_answered(&mut chat, hash, answer)?,
            Pending::Receipt(_, marks) => self.receipt_answered(&mut chat, marks, answer),
            Pending::Rejoin(_) => self.rejoin_answered(&mut chat, answer)?,
            Pending::Range(_, to) => self.range_answered(&mut chat, to, answer)?,
            Pending::Routing(_) => self.routing_answered(&chat, answer),
            Pending::Enter(_) => entering::answered(self, &mut chat, answer)?,
            Pending::Quit(_) => quit::answered(self, &mut chat, answer)?,
            Pending::Receipts(_) => self.receipts_answered(&mut chat, answer)?,
            Pending::Watch(_) => self.watch_answered(&chat, answer)?,
            _ => {}
        }
        Ok(self.tx.save_chat(&chat)?)
    }

    fn message_answered(&mut self, chat: &mut Chat, n: N, answer: Answer) -> Result<()> {
        let link = self.link.chat(chat.row);
        link.unanswered.remove(&n);
        match answer {
            Answer::Sent(sent) => {
                link.patience = 0;
                link.trouble = None;
                self.link.trouble = None;
                self.message_sent(chat, n, &sent)
            }
            Answer::Refused(refusal) => {
                link.retreating = true;
                self.message_refused(chat, n, &refusal)
            }
            _ => Ok(()),
        }
    }

    /// Durable at the relay. Its echo will say the same, and may have said it already.
    fn message_sent(&mut self, chat: &mut Chat, n: N, sent: &Sent) -> Result<()> {
        let Some(outgoing) = self.tx.outgoing(chat.row, n)? else { return Ok(()) };
        // One that a commit made unsealed is not in: its echo would have come before that commit, unless it is long gone.
        if sent.n != n || (outgoing.sealed.is_none() && !self.is_expired(sent.time)) {
            return Ok(());
        }
        if outgoing.again.is_none() {
            self.tx.place_message(outgoing.message, sent.seq, chat.place(sent.seq), sent.time)?;
        }
        if self.is_expired(sent.time) {
            return self.echo_expired(chat, outgoing.row, sent.seq);
        }
        Ok(self.tx.outgoing_sent(outgoing.row)?)
    }

    fn message_refused(&mut self, chat: &mut Chat, n: N, refusal: &Refusal) -> Result<()> {
        match refusal {
            // The commit it lacks comes through the queue; what is not in by then is encrypted again.
            Refusal::Stale(stale) => {
                let link = self.link.chat(chat.row);
                link.wait_base = link.wait_base.max(stale.base);
                Ok(())
            }
            // Sent again from the first unconfirmed one. If the relay lacks one it confirmed, its log is not ours.
            Refusal::OutOfOrder(order) => match self.tx.outgoing(chat.row, order.expected)? {
                None if order.expected < n && chat.state == ChatState::Live => {
                    self.unless_proposed(chat, order.expected)
                }
                _ => Ok(()),
            },
            // An answer to bytes that are not the present ones says nothing about these.
            Refusal::Conflict(conflict) => match self.tx.outgoing(chat.row, conflict.n)? {
                Some(outgoing) if outgoing.sealed.is_some() && outgoing.hash != Some(conflict.hash) => {
                    self.break_chat(chat, CONFLICT)
                }
                _ => Ok(()),
            },
            Refusal::TooOld(_) => self.break_chat(chat, CONFLICT),
            Refusal::NotMember(_) => self.found_again(chat),
            refusal => {
                self.pause(chat.row, refusal);
                Ok(())
            }
        }
    }

    fn unless_proposed(&mut self, chat: &mut Chat, expected: N) -> Result<()> {
        match self.tx.proposed(chat.row)? {
            Some(proposed) if proposed.n == expected => Ok(()),
            _ => self.break_chat(chat, CONFLICT),
        }
    }

    /// The relay does not route this device in the chat any more: the chat is founded again.
    fn found_again(&mut self, chat: &mut Chat) -> Result<()> {
        if chat.state == ChatState::Live || chat.state == ChatState::Broken {
            self.drop_proposed(chat)?;
            self.renumber(chat)?;
            match chat.is_direct() {
                true => chat.enter(ChatState::Unfounded, self.now),
                // Nobody founds a group again because they were put out of it; who should be in it is let in again.
                false => chat.enter(ChatState::AwaitingWelcome, self.now),
            }
        }
        Ok(())
    }

    fn proposed_answered(&mut self, chat: &mut Chat, hash: Hash, answer: Answer) -> Result<()> {
        self.link.chat(chat.row).proposed = false;
        let Some(proposed) = self.tx.proposed(chat.row)?.filter(|proposed| proposed.hash == hash) else {
            return Ok(());
        };
        match answer {
            Answer::Sent(sent) if self.is_expired(sent.time) => self.proposed_expired(chat, &proposed),
            Answer::Sent(_) => Ok(self.tx.proposed_sent(chat.row)?),
            Answer::Refused(Refusal::Exists(exists)) if proposed.founding => self.founding_lost(chat, &exists),
            Answer::Refused(Refusal::DevicesChanged(changed)) => {
                self.link.fresh.remove(&changed.account);
                self.link.wanted.insert(changed.account);
                // A device that is no more is not to be routed to again; what is to be mended shows anew.
                self.tx.drop_task(chat.row, TaskKind::Routing, &[])?;
                self.withdraw_proposed(chat)
            }
            Answer::Refused(Refusal::Stale(stale)) => {
                let link = self.link.chat(chat.row);
                link.wait_base = link.wait_base.max(stale.base);
                Ok(())
            }
            Answer::Refused(Refusal::Conflict(_) | Refusal::TooOld(_)) => self.break_chat(chat, CONFLICT),
            Answer::Refused(refusal @ Refusal::NotMember(_)) if proposed.founding => self.may_not_found(chat, &refusal),
            Answer::Refused(Refusal::NotMember(_)) => self.found_again(chat),
            Answer::Refused(Refusal::TooLarge(_)) => self.proposal_refused(chat, &proposed, true),
            Answer::Refused(Refusal::Invalid(_) | Refusal::NotFound(_) | Refusal::NoKeyPackage(_)) => {
                self.proposal_refused(chat, &proposed, false)
            }
            Answer::Refused(refusal) => {
                self.pause(chat.row, &refusal);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Others have founded the group, without this device: they are asked to add it.
    fn may_not_found(&mut self, chat: &mut Chat, refusal: &Refusal) -> Result<()> {
        self.withdraw_proposed(chat)?;
        if !chat.is_direct() {
            self.tx.drop_task(chat.row, TaskKind::Found, &[])?;
            chat.enter(ChatState::AwaitingWelcome, self.now);
        }
        self.pause(chat.row, refusal);
        Ok(())
    }

    /// The relay does not take an own commit or founding. What it was for waits, so that messages do not; the relay may see
    /// the group otherwise than its members do.
    fn proposal_refused(&mut self, chat: &mut Chat, proposed: &Proposed, too_large: bool) -> Result<()> {
        self.withdraw_proposed(chat)?;
        let doing = std::mem::take(&mut self.link.chat(chat.row).doing);
        let many = match &proposed.request {
            Request::Found(found) => found.devices.len(),
            _ => doing.iter().filter(|(kind, _)| *kind == TaskKind::Add).count(),
        };
        if too_large && many > 1 {
            // Made again with half of them.
            let batch = &mut self.link.chat(chat.row).batch;
            *batch = (if *batch == 0 { many } else { many.min(*batch) } / 2).max(1);
        } else {
            doing.iter().try_for_each(|(kind, subject)| postponing::postpone(self, chat, *kind, subject))?;
        }
        if proposed.founding || doing.is_empty() {
            self.pause(chat.row, &Refusal::Invalid(Default::default()));
        }
        self.watch_routing_now(chat);
        Ok(())
    }

    /// The relay took an own commit so long ago that its echo is gone, and so are the welcomes of a founding. Whoever is
    /// in the chat adds this device again; if nobody is, it is founded anew.
    fn proposed_expired(&mut self, chat: &mut Chat, proposed: &Proposed) -> Result<()> {
        if let Request::Found(found) = &proposed.request {
            chat.incarnation = chat.incarnation.max(found.incarnation);
            let change: Option<Change> = proposed.change.as_ref().and_then(|change| codec::decode(&change.0).ok());
            let roster = Roster { entries: change.unwrap_or_default().put };
            self.tx.set_roster(chat.row, &roster, chat.place(chat.base))?;
        }
        self.tx.drop_task(chat.row, TaskKind::Found, &[])?;
        self.break_chat(chat, AWAY)
    }

    /// Another founding stands: its welcome comes through the queue. If the relay's count is behind ours, it lost some.
    fn founding_lost(&mut self, chat: &mut Chat, exists: &Exists) -> Result<()> {
        self.withdraw_proposed(chat)?;
        // Joined meanwhile: what the answer says is old news.
        if matches!(chat.state, ChatState::Live | ChatState::Left) {
            return Ok(());
        }
        // Of a group whose last commit was passed without being in it no welcome comes any more.
        let stands = exists.incarnation > chat.incarnation && (chat.is_direct() || exists.base > chat.seq);
        chat.incarnation = exists.incarnation;
        // Where the relay's log began anew nobody's welcome is due, unless of a founding that is still to come; the chat is
        // founded again right away.
        let anew = chat.shift > 0 && (chat.seq == Seq(0) || exists.base <= chat.seq);
        if stands && !anew {
            self.tx.drop_task(chat.row, TaskKind::Found, &[])?;
            chat.enter(ChatState::AwaitingWelcome, self.now);
        }
        Ok(())
    }

    /// Takes an own commit back that the relay has not accepted.
    fn withdraw_proposed(&mut self, chat: &mut Chat) -> Result<()> {
        if let Some(Request::Commit(commit)) = self.tx.proposed(chat.row)?.map(|proposed| proposed.request) {
            // A device that the relay does not let back in asks again, with what holds by then.
            let tasks = self.tx.rejoins(chat.row)?.into_iter().filter(|task| commit.add.contains(&task.device));
            tasks.into_iter().try_for_each(|task| self.tx.finish_rejoin(&task, self.now))?;
        }
        self.drop_proposed(chat)?;
        if chat.state == ChatState::Founding {
            chat.enter(ChatState::Unfounded, self.now);
        }
        Ok(())
    }

    fn receipt_answered(&mut self, chat: &mut Chat, marks: Watermarks, answer: Answer) {
        self.link.chat(chat.row).receipt = false;
        match answer {
            Answer::Done(_) => {
                chat.told_delivered = chat.told_delivered.max(marks.delivered);
                chat.told_read = chat.told_read.max(marks.read);
            }
            Answer::Refused(refusal) => self.pause(chat.row, &refusal),
            _ => {}
        }
    }

    fn rejoin_answered(&mut self, chat: &mut Chat, answer: Answer) -> Result<()> {
        self.link.chat(chat.row).rejoin = false;
        match answer {
            Answer::Done(_) => {
                chat.asked = self.now;
                Ok(())
            }
            Answer::Refused(Refusal::NotMember(_) | Refusal::NotFound(_)) => match chat.is_direct() {
                true => {
                    chat.enter(ChatState::Unfounded, self.now);
                    Ok(())
                }
                false if self.is_founder(chat)? => {
                    chat.enter(ChatState::Unfounded, self.now);
                    Ok(())
                }
                // The relay's log began anew, and nobody has founded the group again yet.
                false if chat.shift > 0 && chat.seq == Seq(0) => {
                    chat.asked = self.now;
                    Ok(())
                }
                false => self.leave_group(chat, NOT_IN),
            },
            Answer::Refused(refusal) => {
                self.pause(chat.row, &refusal);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn range_answered(&mut self, chat: &mut Chat, to: Seq, answer: Answer) -> Result<()> {
        self.link.chat(chat.row).range = false;
        match answer {
            Answer::Envelopes(envelopes) => inbox::fill(self, chat, to, &envelopes),
            Answer::Refused(refusal) => {
                self.pause(chat.row, &refusal);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Marks a chat for the next pump, for callers that only know its row.
    pub(crate) fn touch(&mut self, row: ChatRow) {
        self.link.dirty.insert(row);
        self.changed();
    }
}

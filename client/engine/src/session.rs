//! Login, attaching, catching up, the tick. Notices when the database here or the relay's is older than it should be
//! (rule `GAP-4`).

use crate::effect::Effect;
use crate::error::Result;
use crate::inbox;
use crate::step::Step;
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{Attach, ClientFrame, LoginOk, RelayFrame};
use aside_protocol::group::{ChatKind, Role};
use aside_protocol::limits::RETENTION_MS;
use aside_protocol::{Body, Millis, N, PartitionId, Pos, Seq};
use aside_store::chats::{Chat, ChatState};
use aside_store::messages::PENDING_PLACE;
use aside_store::tasks::TaskKind;

/// Names asked for in one tick: a large group's come little by little.
pub(crate) const NAMES_A_TICK: u32 = 64;
/// The relay looks for what is too old about once a minute.
const RETENTION_SLACK_MS: u64 = 60_000;

/// Shown when this database is an older copy of itself.
const RESTORED: &str = "This device's history was restored from an older copy. It joins this chat again with new keys; \
     what the copy lacks is asked for, or shown as a gap.";
/// Shown when the relay has confirmed a message and does not have it any more.
const LOST: &str =
    "The relay has lost messages it had confirmed. This device joins this chat again and sends them again.";
/// Shown when the relay's log began anew.
const NEW_LOG: &str = "The relay was restored or set up anew. This chat is set up again; what the relay lost is sent \
     again from here unless it was delivered.";

impl Step<'_> {
    /// Compares what the relay knows of this device with what is stored here, then starts delivery.
    pub(crate) fn attach(&mut self, ok: &LoginOk) -> Result<()> {
        let found = self.compare_positions(ok)?;
        if found.relay_behind {
            self.begin_anew()?;
        } else if found.restored {
            self.distrust_own_state()?;
        }
        self.tx.set_log(&ok.log)?;
        self.tx.learn_nodes(&ok.addresses)?;
        self.link.attached = true;
        self.link.behind = found.cursors.iter().map(|cursor| cursor.partition).collect();
        self.link.relay_time = ok.time;
        self.note_absence()?;
        self.link.restored = found.restored || found.relay_behind;
        self.stocked(&ok.key_packages);
        self.fill_rosters()?;
        self.effects.push(Effect::Send(ClientFrame::Attach(Attach { cursors: found.cursors })));
        self.tx.prune_receipt_keys(Millis(self.now.0.saturating_sub(self.config.receipt_keys_ms)))?;
        self.mark_work()?;
        self.changed();
        Ok(())
    }

    /// The own database is an older copy: its ratchets must send nothing any more (rule `GAP-4`).
    fn distrust_own_state(&mut self) -> Result<()> {
        self.tx.distrust_outbox()?;
        for mut chat in self.tx.chats()? {
            let held = self.release_held(&chat)?;
            match chat.state {
                ChatState::Left => {}
                // What waits here was taken since: its welcome is spent, and nothing of it comes again.
                ChatState::Unfounded if held => chat.enter(ChatState::AwaitingWelcome, self.now),
                ChatState::Unfounded => {}
                _ => self.break_chat(&mut chat, RESTORED)?,
            }
            self.tx.save_chat(&chat)?;
        }
        Ok(())
    }

    /// Forgets what a chat holds; says whether it held anything.
    fn release_held(&mut self, chat: &Chat) -> Result<bool> {
        let held = self.tx.held(chat.row)?;
        held.iter().try_for_each(|envelope| self.tx.release(chat.row, envelope.pos))?;
        Ok(!held.is_empty())
    }

    /// The relay's log began anew: places go on, numbers begin again, every chat is founded again.
    fn begin_anew(&mut self) -> Result<()> {
        self.tx.drop_reads_ahead()?;
        for mut chat in self.tx.chats()? {
            // In one that was left numbers begin anew too: somebody may let this device in again.
            let left = chat.state == ChatState::Left;
            if !left {
                self.notice(&chat, NEW_LOG)?;
                self.drop_proposed(&chat)?;
                self.drop_group(&mut chat)?;
                self.renumber(&chat)?;
                self.tx.forget_resent(chat.row)?;
                self.put_back_lost(&chat)?;
            }
            self.count_anew(&mut chat)?;
            if !left {
                self.found_anew(&mut chat)?;
            }
            self.tx.save_chat(&chat)?;
        }
        Ok(())
    }

    /// What is numbered by the log is numbered from its beginning; places go on.
    fn count_anew(&mut self, chat: &mut Chat) -> Result<()> {
        self.tx.forget_senders(chat.row)?;
        self.tx.clear_receipt_keys(chat.row)?;
        self.tx.made_sure(chat.row)?;
        self.release_held(chat)?;
        chat.shift += chat.seq.0;
        (chat.seq, chat.base, chat.next_n, chat.incarnation) = (Seq(0), Seq(0), N(1), 0);
        // Incarnations are counted anew: the group known is none of theirs.
        chat.known = chat.known.take().map(|(_, group)| (0, group));
        (chat.told_delivered, chat.told_read, chat.arrived) = (Seq(0), Seq(0), Seq(0));
        chat.receipts_pos = Pos(0);
        Ok(())
    }

    /// Messages of this device's that some device may lack go out again (rules `CHT-3`, `GAP-4`).
    pub(crate) fn put_back_lost(&mut self, chat: &Chat) -> Result<()> {
        let had = self.had_by_all(chat)?;
        Ok(self.tx.enqueue_undelivered(chat.row, &self.me.device, had)?)
    }

    /// The place up to which nothing is to be sent again: every device of the chat has it, or somebody is in the chat who
    /// came after it and must not read it.
    fn had_by_all(&self, chat: &Chat) -> Result<u64> {
        if chat.kind == ChatKind::Channel {
            return Ok(PENDING_PLACE);
        }
        let (mut had, mut came) = (PENDING_PLACE, 0);
        let accounts = match chat.is_direct() {
            true => vec![self.account, chat.peer],
            false => self.tx.roster(chat.row)?.entries.into_iter().map(|entry| entry.account).collect(),
        };
        for account in accounts {
            if !chat.is_direct() {
                came = came.max(self.tx.member_place(chat.row, &account)?.unwrap_or(0));
            }
            let Some(known) = self.tx.account(&account)? else { continue };
            for entry in known.list.list.devices.iter().filter(|entry| entry.device != self.me.device) {
                had = had.min(self.tx.delivered_to(chat.row, &entry.device)?);
                came = came.max(self.tx.place_before(chat.row, entry.added)?);
            }
        }
        Ok(had.max(came))
    }

    /// The relay does not know a chat any more. A direct chat is founded when there is something to say; a group by whoever
    /// may, at once, with everybody who was in it.
    fn found_anew(&mut self, chat: &mut Chat) -> Result<()> {
        let role = self.role_of(chat, &self.account)?;
        let founder = self.is_founder(chat)?;
        let may = founder || matches!(role, Some(Role::Admin | Role::Owner));
        let entering = self.tx.task(chat.row, TaskKind::Enter, &[])?.is_some();
        if chat.is_direct() || may || entering {
            chat.enter(ChatState::Unfounded, self.now);
        } else {
            chat.enter(ChatState::AwaitingWelcome, self.now);
        }
        if !chat.is_direct() && may && !founder {
            let due = self.patience(chat, &chat.peer)?;
            self.add_task(chat, TaskKind::Found, Vec::new(), Body::default(), due, false)?;
        }
        Ok(())
    }

    /// Whether this device is to found a group.
    pub(crate) fn is_founder(&self, chat: &Chat) -> Result<bool> {
        Ok(!chat.is_direct() && self.tx.task(chat.row, TaskKind::Found, &[])?.is_some())
    }

    /// Groups of an earlier version have no stored roster yet.
    fn fill_rosters(&mut self) -> Result<()> {
        for row in self.tx.chats_without_members()? {
            if let Some(chat) = self.tx.chat_at(row)? {
                let roster = self.roster(&chat)?;
                self.tx.set_roster(row, &roster, 0)?;
            }
        }
        Ok(())
    }

    /// This device's state of a chat is not to be trusted for sending; says so once.
    pub(crate) fn break_chat(&mut self, chat: &mut Chat, why: &str) -> Result<()> {
        if chat.state == ChatState::Founding && self.is_founder(chat)? {
            // Nobody else can be asked yet: founded again. If the relay has the first founding, it says so.
            self.drop_proposed(chat)?;
            chat.enter(ChatState::Unfounded, self.now);
            self.link.restart_chat(chat.row);
            return Ok(());
        }
        if chat.state != ChatState::Broken {
            self.drop_proposed(chat)?;
            chat.enter(ChatState::Broken, self.now);
            chat.asked = Millis(0);
            self.link.restart_chat(chat.row);
            self.notice(chat, why)?;
        }
        Ok(())
    }

    /// Frames from the relay, in order. Taken together they are quicker, but a bug in one of them undoes all.
    pub(crate) fn frames(&mut self, frames: Vec<RelayFrame>, together: bool) -> Result<()> {
        self.together = together;
        frames.into_iter().try_for_each(|frame| self.frame(frame))?;
        self.together = false;
        self.save_groups()?;
        let mut passed = std::mem::take(&mut self.passed).into_iter();
        Ok(passed.try_for_each(|(partition, pos)| self.tx.set_cursor(partition, pos))?)
    }

    /// One frame from the relay.
    pub(crate) fn frame(&mut self, frame: RelayFrame) -> Result<()> {
        match frame {
            RelayFrame::Deliver(envelope) => self.deliver(&envelope),
            RelayFrame::CaughtUp(caught_up) => self.caught_up(caught_up.partition),
            RelayFrame::Answer(answered) => match self.link.answered(answered.id) {
                Some(about) => self.answer(about, answered.answer),
                None => Ok(()),
            },
            RelayFrame::Met(said) => {
                self.guest_said(said);
                Ok(())
            }
            RelayFrame::Nodes(nodes) => Ok(self.tx.learn_nodes(&nodes.addresses)?),
            // Login frames and farewells are the connection's business; unknown frames are skipped (rule FRM-4).
            _ => Ok(()),
        }
    }

    /// The queue of a partition is read up to where it was at the login. What was there is known once that is so of all:
    /// one device's words about a chat may lie in another partition than the chat.
    fn caught_up(&mut self, partition: PartitionId) -> Result<()> {
        self.link.behind.remove(&partition);
        if !self.link.behind.is_empty() {
            return Ok(());
        }
        if !std::mem::replace(&mut self.link.caught_up, true) {
            self.make_up_for_lost()?;
            // Another own device may have changed the list while this one was away.
            self.look_own_up();
            self.begin_adoption()?;
            self.look_past_authors_up()?;
        }
        self.mark_work()?;
        self.changed();
        Ok(())
    }

    /// What was confirmed on an earlier connection must have come back by now. If not, the relay has lost it: the
    /// message is sent again once this device is in the chat anew, the commit is sent again as it is.
    fn make_up_for_lost(&mut self) -> Result<()> {
        for row in self.tx.chats_with_confirmed()? {
            let Some(mut chat) = self.tx.chat_at(row)? else { continue };
            self.tx.proposed_unsent(row)?;
            self.forget_expired(&mut chat)?;
            let waits = self.tx.chats_with_confirmed()?.contains(&row);
            if waits && chat.state == ChatState::Live && self.tx.proposed(row)?.is_none() {
                self.break_chat(&mut chat, LOST)?;
            }
            self.tx.save_chat(&chat)?;
        }
        Ok(())
    }

    /// What the relay accepted before its retention began has no echo any more: it was delivered, or is a gap there.
    fn forget_expired(&mut self, chat: &mut Chat) -> Result<()> {
        for outgoing in self.tx.confirmed(chat.row)?.into_iter().filter(|outgoing| outgoing.again.is_none()) {
            let message = self.tx.message(outgoing.message)?;
            if let Some((seq, time)) =
                message.and_then(|message| message.resent.or(message.seq).zip(message.relay_time))
                && self.is_expired(time)
            {
                self.echo_expired(chat, outgoing.row, seq)?;
            }
        }
        Ok(())
    }

    /// An own message's echo will never come: it stands where the relay said.
    pub(crate) fn echo_expired(&mut self, chat: &mut Chat, row: i64, seq: Seq) -> Result<()> {
        if seq == chat.seq.next() && !self.tx.holds(chat.row)? {
            chat.seq = seq;
        }
        chat.own_count += 1;
        Ok(self.tx.outgoing_done(row)?)
    }

    /// Whether the relay had forgotten by this login what it accepted at a time, give or take a minute. To be asked once
    /// the queue is read: what it still held has come by then.
    pub(crate) fn is_expired(&self, time: Millis) -> bool {
        time.0.saturating_add(RETENTION_MS) < self.link.relay_time.0.saturating_add(RETENTION_SLACK_MS)
    }

    /// Takes an envelope and passes it, whatever becomes of it; a copy of an old one only counts. The cursor moves once,
    /// before the transaction ends.
    fn deliver(&mut self, envelope: &Envelope) -> Result<()> {
        self.link.took(envelope.partition, envelope.pos, envelope.weight());
        let passed = match self.passed.get(&envelope.partition) {
            Some(&passed) => passed,
            None => self.tx.cursor(envelope.partition)?.unwrap_or(Pos(0)),
        };
        if envelope.pos > passed {
            inbox::take(self, envelope)?;
            self.passed.insert(envelope.partition, envelope.pos);
        }
        Ok(())
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self) -> Result<()> {
        if self.link.attached {
            self.link.wanted.extend(self.tx.unnamed(NAMES_A_TICK)?);
            self.mark_work()?;
            self.link.leaves_asked = false;
            let acks = self.link.acks(true);
            self.effects.extend(acks.into_iter().map(Effect::Send));
        }
        Ok(())
    }

    /// A person asks that what waits for its next attempt is tried at once, whatever the relay said about patience.
    pub fn retry(&mut self) -> Result<()> {
        if self.link.attached {
            self.link.end_pauses();
            self.mark_work()?;
        }
        self.changed();
        Ok(())
    }

    /// Finds every chat that may have something to do.
    fn mark_work(&mut self) -> Result<()> {
        let tx = self.tx;
        let waiting = [
            tx.chats_with_unsent()?,
            tx.chats_with_proposed()?,
            tx.chats_with_rejoins()?,
            tx.chats_holding()?,
            tx.chats_with_tasks()?,
        ];
        self.link.dirty.extend(waiting.into_iter().flatten());
        self.link.dirty.extend(tx.chats_unsettled()?);
        self.link.dirty.extend(self.link.unsure.iter());
        Ok(())
    }
}

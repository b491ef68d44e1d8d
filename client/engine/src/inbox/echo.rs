//! This device's own envelopes as they come back: known by number and hash, never decrypted (rule `ENV-4`).

use super::sequence::gap;
use crate::error::Result;
use crate::outbox;
use crate::rules::Change;
use crate::step::Step;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::group::Roster;
use aside_protocol::{N, Seq, codec};
use aside_store::chats::{Chat, ChatState};
use aside_store::gaps::Why;
use aside_store::tasks::TaskKind;

/// Shown when an echo is of something this device does not know.
const OLDER_COPY: &str = "This device sent something here that its history does not know: the history is an older \
     copy. It joins this chat again with new keys.";

/// An own envelope has its place.
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<()> {
    let known = match envelope.kind {
        EnvelopeKind::Message => message(step, chat, envelope, seq)?,
        EnvelopeKind::Commit | EnvelopeKind::Founding => proposed(step, chat, envelope, seq)?,
        _ => false,
    };
    if known {
        return Ok(());
    }
    match envelope.kind {
        EnvelopeKind::Message if had_before(step, chat, envelope, seq)? => {}
        EnvelopeKind::Message => gap(step, chat, seq, seq, Why::OwnLost)?,
        _ => chat.base = seq,
    }
    if let Some(incarnation) = envelope.incarnation {
        chat.incarnation = chat.incarnation.max(incarnation);
    }
    // Where the log began anew, what is to be founded by this device gets new keys anyway, and nobody else can be asked.
    let anew = chat.shift > 0 && chat.state == ChatState::Unfounded;
    if anew { Ok(()) } else { step.break_chat(chat, OLDER_COPY) }
}

/// The relay's log began anew before the echo came: the message has its place, and goes out again under another number.
fn had_before(step: &Step, chat: &Chat, envelope: &Envelope, seq: Seq) -> Result<bool> {
    Ok(chat.shift > 0 && step.tx.had_number(chat.row, &step.me.device, seq, envelope.time)?)
}

/// This device is not in the group any more; what it sent before may still come back.
pub(super) fn after_leaving(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<()> {
    match envelope.kind {
        EnvelopeKind::Message if envelope.from == step.me.device => message(step, chat, envelope, seq).map(drop),
        EnvelopeKind::Message => Ok(()),
        _ => {
            chat.base = seq;
            Ok(())
        }
    }
}

fn message(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<bool> {
    let Some(n) = envelope.n else { return Ok(false) };
    let Some(outgoing) = step.tx.outgoing(chat.row, n)?.filter(|o| o.hash.is_some() && o.hash == envelope.hash) else {
        return Ok(false);
    };
    if outgoing.again.is_none() {
        step.tx.place_message(outgoing.message, seq, chat.place(seq), envelope.time)?;
    }
    step.tx.outgoing_done(outgoing.row)?;
    chat.own_count += 1;
    Ok(true)
}

/// The own commit takes effect at its `seq`, not when the relay said Sent.
fn proposed(step: &mut Step, chat: &mut Chat, envelope: &Envelope, seq: Seq) -> Result<bool> {
    let Some(proposed) = step.tx.proposed(chat.row)? else { return Ok(false) };
    if Some(proposed.n) != envelope.n || Some(proposed.hash) != envelope.hash {
        return Ok(false);
    }
    step.tx.drop_proposed(chat.row)?;
    if proposed.group.is_some() {
        step.drop_group(chat)?;
        chat.group = proposed.group;
    }
    step.in_group(chat, |group, scope| group.merge_own(scope))?;
    let (terms, devices) = step.in_group(chat, |group, _| Ok((group.terms()?, group.roster()?.len() as u64)))?;
    chat.devices = devices;
    chat.renewed = step.now;
    if let Some(group) = chat.group.clone().filter(|_| proposed.founding) {
        chat.known = Some((envelope.incarnation.unwrap_or(chat.incarnation + 1), group));
    }
    chat.next_n = proposed.n.next();
    chat.own_count = 0;
    if proposed.founding {
        chat.incarnation = envelope.incarnation.unwrap_or(chat.incarnation + 1);
        step.begin_incarnation(chat)?;
    }
    step.begin_epoch(chat, seq)?;
    outbox::commits::took_effect(step, chat, &proposed.request)?;
    step.tx.drop_task(chat.row, TaskKind::Routing, &[])?;
    step.tx.drop_task(chat.row, TaskKind::Warm, &[])?;
    let change: Change = proposed.change.and_then(|change| codec::decode(&change.0).ok()).unwrap_or_default();
    if proposed.founding {
        step.tx.set_roster(chat.row, &Roster { entries: change.put }, chat.place(seq))?;
        // What another one called it since this founding was made is over with that one's group.
        chat.title = terms.state.map_or_else(String::new, |state| state.title);
        step.watch_own_devices(chat)?;
        step.drop_done_tasks(chat)?;
        step.watch_lists(chat)?;
    } else if change != Change::default() || terms.state.is_some_and(|state| state.title != chat.title) {
        let terms = step.in_group(chat, |group, _| group.terms())?;
        step.roster_changed(chat, None, &change, Some(&terms))?;
    } else {
        step.drop_done_tasks(chat)?;
    }
    Ok(true)
}

impl Step<'_> {
    /// A commit took effect at `base`: what was encrypted before it is encrypted again, receipts get a new key.
    pub(crate) fn begin_epoch(&mut self, chat: &mut Chat, base: Seq) -> Result<()> {
        chat.base = base;
        let (secret, id, epoch) =
            self.in_group(chat, |group, scope| Ok((group.receipt_secret(scope)?, group.id(), group.epoch())))?;
        self.tx.note_epoch(&id, epoch)?;
        self.tx.save_receipt_key(chat.row, base, &secret, self.now)?;
        self.tx.unseal_outbox(chat.row)?;
        self.link.restart_chat(chat.row);
        // A device that was told to wait for the others' state may go on now, whoever committed.
        chat.enter(ChatState::Live, self.now);
        Ok(())
    }

    /// Numbers begin again for everybody.
    pub(crate) fn begin_incarnation(&mut self, chat: &mut Chat) -> Result<()> {
        self.tx.forget_senders(chat.row)?;
        for leaf in self.with_group(chat, |group, _| group.roster())?.and_then(|roster| roster.ok()).unwrap_or_default()
        {
            self.tx.set_sender_n(chat.row, &leaf.device, N(0))?;
        }
        self.tx.rejoins_added(chat.row)?;
        self.renumber(chat)
    }
}

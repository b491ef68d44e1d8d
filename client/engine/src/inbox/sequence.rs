//! Chat-wide envelopes in the order of their `seq`: copies are dropped, holes asked for (rule `GAP-1`), the rest
//! processed.

use super::{commit, echo, message, welcome};
use crate::error::Result;
use crate::step::Step;
use aside_protocol::Seq;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::request::Envelopes;
use aside_store::chats::{Chat, ChatState};
use aside_store::gaps::{Gap, Why};

/// A chat-wide envelope from the queue.
pub(super) fn take(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let Some(seq) = envelope.seq.filter(|&seq| seq > chat.seq) else { return Ok(()) };
    if chat.shift > 0 && chat.seq == Seq(0) {
        // The relay's log began anew: what it had before this was shown here under its old places.
        chat.seq = Seq(seq.0 - 1);
    }
    let in_order = seq == chat.seq.next() && !step.tx.holds(chat.row)? && !step.lacks_body(envelope)?;
    if in_order {
        return process(step, chat, envelope);
    }
    // A hole, or something before it is held already. When no more can be held the hole is given up.
    if !step.tx.hold(chat.row, envelope)? {
        give_up(step, chat)?;
        return take(step, chat, envelope);
    }
    Ok(())
}

/// Processes an envelope whose turn it is; a copy of an older one is dropped.
pub(super) fn process(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let Some(seq) = envelope.seq.filter(|&seq| seq > chat.seq) else { return Ok(()) };
    if chat.state == ChatState::Left {
        echo::after_leaving(step, chat, envelope, seq)?;
    } else if envelope.from == step.me.device {
        echo::take(step, chat, envelope, seq)?;
    } else {
        await_welcome(step, chat);
        match envelope.kind {
            EnvelopeKind::Message => message::take(step, chat, envelope, seq)?,
            EnvelopeKind::Commit => {
                commit::take(step, chat, envelope, seq)?;
                step.forget_body(envelope)?;
            }
            EnvelopeKind::Founding => commit::founding(step, chat, envelope, seq)?,
            _ => gap(step, chat, seq, seq, Why::TooNew)?,
        }
    }
    chat.seq = chat.seq.max(seq);
    Ok(())
}

/// Others write in a chat that this device has no group for: its welcome is due, or was lost (rule `REJ-1`).
pub(super) fn await_welcome(step: &mut Step, chat: &mut Chat) {
    if chat.state == ChatState::Unfounded && chat.group.is_none() {
        chat.enter(ChatState::AwaitingWelcome, step.now);
        if chat.is_direct() {
            step.link.wanted.insert(chat.peer);
        }
    }
}

/// Shows numbers of the present log as a gap.
pub(super) fn gap(step: &mut Step, chat: &Chat, first: Seq, last: Seq, why: Why) -> Result<()> {
    step.changed();
    Ok(step.tx.add_gap(chat.row, Gap { first: chat.place(first), last: chat.place(last), why })?)
}

/// The relay's answer about numbers that were skipped: what it has is processed, what it lacks is a gap.
pub(crate) fn fill(step: &mut Step, chat: &mut Chat, to: Seq, answer: &Envelopes) -> Result<()> {
    let mut found: Vec<&Envelope> = answer.envelopes.iter().filter(|e| e.chat == chat.chat).collect();
    found.sort_by_key(|envelope| envelope.seq);
    for envelope in &found {
        let Some(seq) = envelope.seq.filter(|&seq| seq > chat.seq && seq <= to) else { continue };
        skip_to(step, chat, seq)?;
        process(step, chat, envelope)?;
    }
    if found.is_empty() {
        skip_to(step, chat, to.next())?;
    }
    super::settle(step, chat)
}

/// Nothing before `next` will come any more.
fn skip_to(step: &mut Step, chat: &mut Chat, next: Seq) -> Result<()> {
    let before = Seq(next.0.saturating_sub(1));
    if before > chat.seq {
        gap(step, chat, chat.seq.next(), before, Why::Expired)?;
        chat.seq = before;
    }
    Ok(())
}

/// The same, when something after the hole must be dealt with now.
pub(super) fn give_up_before(step: &mut Step, chat: &mut Chat, seq: Seq) -> Result<()> {
    if step.tx.holds(chat.row)? {
        give_up(step, chat)?;
    }
    skip_to(step, chat, seq)
}

/// Too much is held behind a hole: the hole becomes a gap and what is held is processed.
fn give_up(step: &mut Step, chat: &mut Chat) -> Result<()> {
    for envelope in step.tx.held(chat.row)? {
        step.tx.release(chat.row, envelope.pos)?;
        match envelope.seq {
            Some(seq) => {
                skip_to(step, chat, seq)?;
                process(step, chat, &envelope)?;
            }
            // A welcome whose accounts are still unknown: without it this device asks to be added again.
            None if chat.is_direct() && step.tx.account(&chat.peer)?.is_none() => await_welcome(step, chat),
            None => welcome::join(step, chat, &envelope)?,
        }
    }
    Ok(())
}

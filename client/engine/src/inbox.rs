//! Takes envelopes: strictly by `seq` within a chat (rule `ORD-4`), each applied, held, or shown as a gap. Never
//! blocks, never fails for a peer's fault.

mod asking;
mod commit;
mod echo;
mod message;
mod receipt;
mod rejoin;
mod sequence;
mod welcome;

pub(crate) use receipt::take as receipt;
pub(crate) use sequence::fill;

use crate::error::Result;
use crate::step::Step;
use aside_protocol::ChatId;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_store::chats::{Chat, UNKNOWN_KIND};
use aside_store::gaps::Why;

/// Shown when an envelope made this program fail.
const POISON: &str = "Something in this chat made aside fail; it was put aside. Please report this. This device joins \
     the chat again.";

/// Processes one new envelope. Whatever becomes of it, it is dealt with when this returns.
pub(crate) fn take(step: &mut Step, envelope: &Envelope) -> Result<()> {
    let Some(mut chat) = chat_of(step, envelope)? else { return Ok(()) };
    guarded(step, &mut chat, envelope, |step, chat| match envelope.kind {
        EnvelopeKind::Welcome => welcome::take(step, chat, envelope),
        EnvelopeKind::Receipt => receipt::take(step, chat, envelope),
        EnvelopeKind::Rejoin => rejoin::take(step, chat, envelope),
        EnvelopeKind::Leave => asking::leave(step, chat, envelope),
        EnvelopeKind::Join => asking::join(step, chat, envelope),
        // The routing is not what the last commit made of it: it is compared with the leaves (rule `GRP-8`).
        EnvelopeKind::Routed => {
            step.link.chat(chat.row).watch = true;
            Ok(())
        }
        // A kind to come that takes a seq must not leave a hole; one without is nothing to this version (rule ENV-3).
        _ if envelope.seq.is_some() => sequence::take(step, chat, envelope),
        _ => Ok(()),
    })?;
    step.tx.save_chat(&chat)?;
    step.link.dirty.insert(chat.row);
    step.changed();
    Ok(())
}

/// Processes an envelope so that, should it hit a bug, it alone is undone and shown as a gap: nothing behind it waits.
/// Among envelopes taken together a bug goes up instead, and the batch comes again one by one.
fn guarded(
    step: &mut Step,
    chat: &mut Chat,
    envelope: &Envelope,
    work: impl FnOnce(&mut Step, &mut Chat) -> Result<()>,
) -> Result<()> {
    if step.together {
        return work(step, chat);
    }
    let (tx, before) = (step.tx, chat.clone());
    let Err(error) = tx.attempt(|| work(step, chat)) else { return Ok(()) };
    if !error.is_poison() {
        return Err(error);
    }
    *chat = before;
    step.groups.0.remove(&chat.row);
    if let Some(seq) = envelope.seq.filter(|&seq| seq > chat.seq) {
        sequence::give_up_before(step, chat, seq)?;
        sequence::gap(step, chat, seq, seq, Why::Unreadable)?;
        chat.seq = seq;
        chat.base = if envelope.kind == EnvelopeKind::Message { chat.base } else { seq };
    }
    step.break_chat(chat, POISON)
}

/// The chat of an envelope; made when somebody writes in one that is new here. What kind it is shows the id, if it is a
/// direct chat with the sender, or else the welcome.
fn chat_of(step: &Step, envelope: &Envelope) -> Result<Option<Chat>> {
    if let Some(chat) = step.tx.chat(&envelope.chat)? {
        return Ok(Some(chat));
    }
    let peer = envelope.account;
    if ChatId::direct(&step.account, &peer) == envelope.chat {
        return Ok(Some(step.tx.direct_chat(&step.account, &peer, step.now)?));
    }
    let opens = envelope.kind == EnvelopeKind::Welcome || envelope.seq.is_some();
    if opens { Ok(Some(step.tx.group_chat(&envelope.chat, UNKNOWN_KIND, step.now)?)) } else { Ok(None) }
}

/// Processes what a chat holds, as far as it goes: after an account was looked up or a hole closed.
pub(crate) fn settle(step: &mut Step, chat: &mut Chat) -> Result<()> {
    for envelope in step.tx.held(chat.row)? {
        let next = envelope.seq.is_none_or(|seq| seq <= chat.seq.next());
        if !next || welcome::waits(step, chat, &envelope)? || step.lacks_body(&envelope)? {
            break;
        }
        step.tx.release(chat.row, envelope.pos)?;
        guarded(step, chat, &envelope, |step, chat| match envelope.kind {
            EnvelopeKind::Welcome => welcome::join(step, chat, &envelope),
            _ => sequence::process(step, chat, &envelope),
        })?;
        step.tx.save_chat(chat)?;
        step.link.dirty.insert(chat.row);
        step.changed();
        if step.tx.is_held(chat.row, envelope.pos)? {
            break;
        }
    }
    Ok(())
}

//! Takes envelopes: strictly by `seq` within a chat, each applied, held, or shown as a gap. Never blocks, never fails
//! for a peer's fault.

mod commit;
mod echo;
mod message;
mod receipt;
mod rejoin;
mod sequence;
mod welcome;

pub(crate) use sequence::fill;

use crate::error::Result;
use crate::step::Step;
use aside_protocol::ChatId;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_store::chats::Chat;

/// Processes one new envelope. Whatever becomes of it, it is dealt with when this returns.
pub(crate) fn take(step: &mut Step, envelope: &Envelope) -> Result<()> {
    let Some(mut chat) = chat_of(step, envelope)? else { return Ok(()) };
    match envelope.kind {
        EnvelopeKind::Welcome => welcome::take(step, &mut chat, envelope)?,
        EnvelopeKind::Receipt => receipt::take(step, &chat, envelope)?,
        EnvelopeKind::Rejoin => rejoin::take(step, &mut chat, envelope)?,
        // A kind to come that takes a seq must not leave a hole; one without is nothing to this version.
        _ if envelope.seq.is_some() => sequence::take(step, &mut chat, envelope)?,
        _ => {}
    }
    step.tx.save_chat(&chat)?;
    step.link.dirty.insert(chat.row);
    step.changed();
    Ok(())
}

/// The chat of an envelope; made when another account writes in the direct chat with this one.
fn chat_of(step: &Step, envelope: &Envelope) -> Result<Option<Chat>> {
    if let Some(chat) = step.tx.chat(&envelope.chat)? {
        return Ok(Some(chat));
    }
    let peer = envelope.account;
    let direct = peer != step.account && ChatId::direct(&step.account, &peer) == envelope.chat;
    if direct { Ok(Some(step.tx.direct_chat(&step.account, &peer, step.now)?)) } else { Ok(None) }
}

/// Processes what a chat holds, as far as it goes: after an account was looked up or a hole closed.
pub(crate) fn settle(step: &mut Step, chat: &mut Chat) -> Result<()> {
    for envelope in step.tx.held(chat.row)? {
        let next = envelope.seq.is_none_or(|seq| seq <= chat.seq.next());
        if !next || welcome::waits(step, chat, &envelope)? {
            break;
        }
        step.tx.release(chat.row, envelope.pos)?;
        match envelope.kind {
            EnvelopeKind::Welcome => welcome::join(step, chat, &envelope)?,
            _ => sequence::process(step, chat, &envelope)?,
        }
        step.tx.save_chat(chat)?;
        step.link.dirty.insert(chat.row);
        step.changed();
    }
    Ok(())
}

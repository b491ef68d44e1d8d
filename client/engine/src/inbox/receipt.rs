//! Receipts of others: watermarks that only rise. A forged, moved or unreadable one counts for nothing.

use crate::error::Result;
use crate::step::Step;
use aside_crypto::receipts;
use aside_protocol::envelope::Envelope;
use aside_store::chats::Chat;

/// A receipt from the queue.
pub(crate) fn take(step: &mut Step, chat: &Chat, envelope: &Envelope) -> Result<()> {
    let (Some(base), Some(body)) = (envelope.base, &envelope.body) else { return Ok(()) };
    let Some(secret) = step.tx.receipt_key(chat.row, base)? else { return Ok(()) };
    // Own devices' receipts tell nobody anything, and who is not in the chat has not read it.
    let counts = envelope.account != step.account
        && (envelope.account == chat.peer || step.tx.member(chat.row, &envelope.account)?.is_some());
    let Some(account) = step.tx.account(&envelope.account)?.filter(|_| counts) else { return Ok(()) };
    let Some(device) = account.list.list.device(&envelope.from) else { return Ok(()) };
    if let Ok(marks) = receipts::open(&secret, &chat.chat, &envelope.from, base, body, &device.key) {
        // Nobody has read what is not there yet.
        let place = |seq: aside_protocol::Seq| chat.place(seq.min(chat.seq));
        let (delivered, read) = (place(marks.delivered), place(marks.read));
        step.tx.raise_marks(chat.row, &envelope.from, &account.account, delivered, read)?;
    }
    Ok(())
}

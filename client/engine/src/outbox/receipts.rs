//! This device's watermarks: one sealed pair a chat, replaced as they rise, never more than one on its way.

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_crypto::receipts;
use aside_protocol::content::Watermarks;
use aside_protocol::request::{Receipt, Request};
use aside_store::chats::Chat;

/// Tells the others how far this device has stored and read, if they were not told.
pub(super) fn advance(step: &mut Step, chat: &Chat) -> Result<()> {
    let marks = Watermarks { delivered: chat.arrived, read: chat.seq_of(chat.read_place).min(chat.arrived) };
    let news = marks.delivered > chat.told_delivered || marks.read > chat.told_read;
    if !news || step.link.chat(chat.row).receipt {
        return Ok(());
    }
    let Some(secret) = step.tx.receipt_key(chat.row, chat.base)? else { return Ok(()) };
    let nonce = step.fresh();
    let body = receipts::seal(&secret, &chat.chat, &step.me.device, chat.base, marks, nonce, &step.me.key);
    step.link.chat(chat.row).receipt = true;
    let request = Request::Receipt(Receipt { chat: chat.chat, base: chat.base, body });
    step.ask(request, Pending::Receipt(chat.row, marks));
    Ok(())
}

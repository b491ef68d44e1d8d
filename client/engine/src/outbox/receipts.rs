//! This device's watermarks: one sealed pair a chat, replaced as they rise, never more than one on its way.

use crate::error::Result;
use crate::inbox;
use crate::link::Pending;
use crate::step::Step;
use aside_crypto::receipts;
use aside_protocol::content::Watermarks;
use aside_protocol::group::ChatKind;
use aside_protocol::limits::RECEIPT_PUSH_DEVICES;
use aside_protocol::request::{Answer, Receipt, Receipts, Request};
use aside_store::chats::{Chat, ChatRow};

/// Tells the others how far this device has stored and read, if they were not told.
pub(super) fn advance(step: &mut Step, chat: &Chat) -> Result<()> {
    let marks = Watermarks { delivered: chat.arrived, read: chat.seq_of(chat.read_place).min(chat.arrived) };
    if chat.kind == ChatKind::Channel {
        return Ok(());
    }
    let news = marks.delivered > chat.told_delivered || marks.read > chat.told_read;
    if !news || step.link.chat(chat.row).receipt {
        return Ok(());
    }
    // A refused commit moves the base and begins no epoch: the key of the standing one still serves.
    let Some((base, secret)) = step.tx.newest_receipt_key(chat.row, chat.base)? else { return Ok(()) };
    let nonce = step.fresh();
    let body = receipts::seal(&secret, &chat.chat, &step.me.device, base, marks, nonce, &step.me.key);
    step.link.chat(chat.row).receipt = true;
    let request = Request::Receipt(Receipt { chat: chat.chat, base, body });
    step.ask(request, Pending::Receipt(chat.row, marks));
    Ok(())
}

impl Step<'_> {
    /// Somebody looks at a chat with many devices: its receipts are asked for (rule `RCP-5`).
    pub fn look_at_receipts(&mut self, row: ChatRow) -> Result<()> {
        let Some(chat) = self.tx.chat_at(row)? else { return Ok(()) };
        let large = chat.devices > RECEIPT_PUSH_DEVICES as u64 && chat.kind == ChatKind::Group;
        if large && self.link.caught_up && !std::mem::replace(&mut self.link.chat(row).receipts, true) {
            self.ask(Request::Receipts(Receipts { chat: chat.chat, after: chat.receipts_pos }), Pending::Receipts(row));
        }
        Ok(())
    }

    /// They came, a page of them.
    pub(crate) fn receipts_answered(&mut self, chat: &mut Chat, answer: Answer) -> Result<()> {
        self.link.chat(chat.row).receipts = false;
        let Answer::Receipts(page) = answer else { return Ok(()) };
        for receipt in &page.receipts {
            inbox::receipt(self, chat, receipt)?;
            chat.receipts_pos = chat.receipts_pos.max(receipt.pos);
        }
        if page.more {
            self.tx.save_chat(chat)?;
            self.look_at_receipts(chat.row)?;
        }
        Ok(())
    }
}

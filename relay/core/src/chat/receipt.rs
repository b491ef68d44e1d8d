//! A device's watermarks in a chat: one slot, replaced by each new one (rule `RCP-1`). In chats with many devices they are
//! not delivered but asked for (rule `RCP-5`).

use super::log::plain;
use super::{ChatRow, members, not_member};
use crate::By;
use crate::error::Stop;
use crate::outcome::{Delivery, Recipients};
use crate::sql::int;
use crate::step::{Step, invalid, within};
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::limits::{MAX_RECEIPT, RECEIPT_PUSH_DEVICES};
use aside_protocol::request::{Answer, Done, Receipt};
use rusqlite::params;

/// Replaces the slot and delivers to the chat's other devices, unless they are too many.
pub(crate) fn receipt(step: &mut Step<'_>, by: &By, request: &Receipt) -> Result<Answer, Stop> {
    within(request.body.len(), MAX_RECEIPT)?;
    let reader = step.asker(by)?;
    let chat = ChatRow::known(step, &request.chat)?;
    let routes = members::routes(step, &chat)?;
    if !members::is_routed(&routes, reader.id) {
        return Err(not_member());
    }
    if request.body.is_empty() || request.base > chat.base {
        return Err(invalid());
    }
    let pos = step.take_pos();
    step.db.prepare_cached("DELETE FROM receipts WHERE chat = ? AND device = ?")?.execute([chat.id, reader.id])?;
    step.db.prepare_cached("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?)")?.execute(params![
        int(pos.0),
        chat.id,
        reader.id,
        int(request.base.0),
        int(step.now.0),
        &request.body[..]
    ])?;
    if routes.len() <= RECEIPT_PUSH_DEVICES {
        step.db.prepare_cached("UPDATE chats SET receipt_pos = ? WHERE id = ?")?.execute([int(pos.0), chat.id])?;
        let plain = plain(step, &chat, &reader, EnvelopeKind::Receipt, pos, (&request.body, None));
        let envelope = Envelope { base: Some(request.base), ..plain };
        let to = Recipients::but(&routes, reader.id);
        step.deliveries.push(Delivery { envelope, to, echo: None });
    }
    chat.keep(step);
    Ok(Answer::Done(Done { pos: Some(pos), hash: None }))
}

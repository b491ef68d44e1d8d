//! Somebody who has a channel's link asks some of its devices to be added (rules `JOI-1`, `JOI-3`).

use super::ChatRow;
use super::leave::ask;
use crate::By;
use crate::error::Stop;
use crate::rate::Rate;
use crate::sql::{device, int};
use crate::step::{Step, invalid, within};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::{JOIN_REQUEST_DEVICES, MAX_ASKING};
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Done, Join};
use aside_protocol::{DeviceId, Refusal};

/// Stores the request for those who most recently acknowledged something: one of them is likely to be there. Whether the
/// proof holds is for them to judge.
pub(crate) fn join(step: &mut Step<'_>, by: &By, request: &Join) -> Result<Answer, Stop> {
    within(request.body.len(), MAX_ASKING)?;
    let asker = step.asker(by)?;
    let chat = ChatRow::load(step, &request.chat)?.filter(|chat| chat.accounts.is_none());
    let chat = chat.ok_or(Refusal::NotFound(Plain {}))?;
    if request.body.is_empty() {
        return Err(invalid());
    }
    let hour = Rate::Joins(asker.account).check(step)?;
    let to = awake(step, chat.id, asker.id)?;
    hour.take(step)?;
    let pos = ask(step, chat, &asker, EnvelopeKind::Join, &request.body, &to)?;
    Ok(Answer::Done(Done { pos, hash: None }))
}

fn awake(step: &Step<'_>, chat: i64, asker: i64) -> rusqlite::Result<Vec<(i64, DeviceId)>> {
    step.db
        .prepare_cached(
            "SELECT i.device, d.device FROM intervals i JOIN devices d ON d.id = i.device
             WHERE i.chat = ? AND i.stop IS NULL AND i.device <> ? ORDER BY d.acked DESC, d.id LIMIT ?",
        )?
        .query_map([chat, asker, int(JOIN_REQUEST_DEVICES as u64)], |row| Ok((row.get(0)?, device(row, 1)?)))?
        .collect()
}

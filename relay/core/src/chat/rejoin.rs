//! A routed device asks the chat's other devices to add it again (rule `REJ-1`).

use super::log::{Parcel, address};
use super::{ChatRow, members, not_member};
use crate::By;
use crate::error::Stop;
use crate::step::{Step, invalid, within};
use aside_protocol::DeviceId;
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::MAX_REJOIN;
use aside_protocol::request::{Answer, Done, Rejoin};

/// Stores the request for every other routed device. What it says is for them to judge.
pub(crate) fn rejoin(step: &mut Step<'_>, by: &By, request: &Rejoin) -> Result<Answer, Stop> {
    within(request.body.len(), MAX_REJOIN)?;
    let sender = step.asker(by)?;
    let chat = ChatRow::known(step, &request.chat)?;
    let routes = members::routes(step, &chat)?;
    if !members::is_routed(&routes, sender.id) {
        return Err(not_member());
    }
    if request.body.is_empty() {
        return Err(invalid());
    }
    let to: Vec<(i64, DeviceId)> = routes.iter().filter(|(id, _)| *id != sender.id).copied().collect();
    if to.is_empty() {
        return Ok(Answer::Done(Done::default()));
    }
    let parcel =
        Parcel { kind: EnvelopeKind::Rejoin, base: None, incarnation: None, body: &request.body, blob: None, to: &to };
    let pos = address(step, &chat, &sender, &parcel)?;
    Ok(Answer::Done(Done { pos: Some(pos), hash: None }))
}

//! A routed device asks the chat's other devices to remove its account (rule `LEA-1`).

use super::log::{Parcel, address};
use super::{ChatRow, members, not_member};
use crate::By;
use crate::error::Stop;
use crate::rate::Rate;
use crate::step::{Step, invalid, within};
use aside_protocol::DeviceId;
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::MAX_ASKING;
use aside_protocol::request::{Answer, Done, Leave};

/// Stores the request for every other routed device, so many times in an hour. What it says is for them to judge. Nobody leaves a direct chat.
pub(crate) fn leave(step: &mut Step<'_>, by: &By, request: &Leave) -> Result<Answer, Stop> {
    within(request.body.len(), MAX_ASKING)?;
    let sender = step.asker(by)?;
    let chat = ChatRow::known(step, &request.chat)?;
    let routes = members::routes(step, &chat)?;
    if !members::is_routed(&routes, sender.id) {
        return Err(not_member());
    }
    if request.body.is_empty() || chat.accounts.is_some() {
        return Err(invalid());
    }
    let hour = Rate::Leaves { device: sender.id, chat: chat.id }.check(step)?;
    hour.take(step)?;
    let to: Vec<(i64, DeviceId)> = routes.iter().filter(|(id, _)| *id != sender.id).copied().collect();
    let pos = ask(step, chat, &sender, EnvelopeKind::Leave, &request.body, &to)?;
    Ok(Answer::Done(Done { pos, hash: None }))
}

/// Stores a request of a device for some others, if there are any.
pub(super) fn ask(
    step: &mut Step<'_>,
    chat: ChatRow,
    sender: &crate::cache::DeviceRow,
    kind: EnvelopeKind,
    body: &aside_protocol::Body,
    to: &[(i64, DeviceId)],
) -> Result<Option<aside_protocol::Pos>, Stop> {
    if to.is_empty() {
        return Ok(None);
    }
    let parcel = Parcel { kind, base: None, incarnation: None, body, blob: None, to };
    let pos = address(step, &chat, sender, &parcel)?;
    chat.keep(step);
    Ok(Some(pos))
}

//! A device asks the chat's other devices to add it again (rules `REJ-1`, `CHT-8`).

use super::leave::ask;
use super::{ChatRow, lapse, members, not_member};
use crate::By;
use crate::error::Stop;
use crate::rate::Rate;
use crate::step::{Step, invalid, within};
use aside_protocol::DeviceId;
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::MAX_REJOIN;
use aside_protocol::request::{Answer, Done, Rejoin};

/// Stores the request for every other routed device, so many times in an hour. What it says is for them to judge. A device that is not routed may
/// ask too, if its account is in the chat by another one.
pub(crate) fn rejoin(step: &mut Step<'_>, by: &By, request: &Rejoin) -> Result<Answer, Stop> {
    within(request.body.len(), MAX_REJOIN)?;
    let sender = step.asker(by)?;
    let chat = ChatRow::known(step, &request.chat)?;
    let routes = members::routes(step, &chat)?;
    if !members::is_routed(&routes, sender.id) && !lapse::is_in(step, chat.id, sender.account)? {
        return Err(not_member());
    }
    if request.body.is_empty() {
        return Err(invalid());
    }
    let hour = Rate::Rejoins { device: sender.id, chat: chat.id }.check(step)?;
    hour.take(step)?;
    let to: Vec<(i64, DeviceId)> = routes.iter().filter(|(id, _)| *id != sender.id).copied().collect();
    let pos = ask(step, chat, &sender, EnvelopeKind::Rejoin, &request.body, &to)?;
    Ok(Answer::Done(Done { pos, hash: None }))
}

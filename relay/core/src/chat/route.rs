//! Undoing the routing changes of commits and foundings that the members refuse (rule `CHT-6`).

use super::log::{Parcel, address};
use super::{ChatRow, members, not_member, undo};
use crate::By;
use crate::cache::DeviceRow;
use crate::error::Stop;
use crate::rate::Rate;
use crate::step::{Step, invalid};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::refusal::Stale;
use aside_protocol::request::{Answer, Done, Route};
use aside_protocol::{Body, Refusal, Seq};

/// Restores routing, intervals and counters, and the incarnation that stood, as they were before the refused commit or
/// founding. All of them keep their `seq`, and the last one stays the base. Asked twice, done once and told once.
pub(crate) fn route(step: &mut Step<'_>, by: &By, request: &Route) -> Result<Answer, Stop> {
    let asker = step.asker(by)?;
    let mut chat = ChatRow::known(step, &request.chat)?;
    let routed = members::is_routed(&members::routes(step, &chat)?, asker.id);
    let first = request.refused.max(chat.run.from);
    if !undo::was_routed(step, chat.id, asker.id, first)?.unwrap_or(routed) {
        return Err(not_member());
    }
    if request.refused > chat.base || request.refused < chat.run.from.min(chat.base) {
        return Err(Refusal::Stale(Stale { base: chat.base }).into());
    }
    if request.refused < chat.run.from {
        return Err(invalid());
    }
    let rate = Rate::Routes { device: asker.id, chat: chat.id };
    let hour = if routed { None } else { Some(rate.check(step)?) };
    if undo::undo(step, &mut chat, request.refused)? {
        hour.map_or(Ok(()), |hour| hour.take(step))?;
        announce(step, &chat, &asker, request.refused)?;
    }
    Ok(Answer::Done(Done::default()))
}

/// Tells all who are routed now, so that they compare: whoever was rightly removed may undo its removal, too.
fn announce(step: &mut Step<'_>, chat: &ChatRow, asker: &DeviceRow, refused: Seq) -> Result<(), Stop> {
    let to = members::routes(step, chat)?;
    if to.is_empty() {
        return Ok(());
    }
    let (kind, base, body) = (EnvelopeKind::Routed, Some(refused), Body::default());
    address(step, chat, asker, &Parcel { kind, base, incarnation: None, body: &body, blob: None, to: &to })?;
    Ok(())
}

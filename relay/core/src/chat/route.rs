//! Undoing the routing changes of commits and foundings that the members refuse (rule `CHT-6`).

use super::{ChatRow, members, not_member, undo};
use crate::By;
use crate::error::Stop;
use crate::step::{Step, invalid};
use aside_protocol::Refusal;
use aside_protocol::refusal::Stale;
use aside_protocol::request::{Answer, Done, Route};

/// Restores routing, intervals and counters, and the incarnation that stood, as they were before the refused commit or
/// founding. All of them keep their `seq`, and the last one stays the base. Asked twice, done once.
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
    undo::undo(step, &mut chat, request.refused)?;
    Ok(Answer::Done(Done::default()))
}

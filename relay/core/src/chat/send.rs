//! A message for everybody in a chat.

use super::log::{Entry, append};
use super::{ChatRow, dedup, members, not_member};
use crate::By;
use crate::cache::DeviceRow;
use crate::error::Stop;
use crate::outcome::{Recipients, Routes};
use crate::step::{Step, invalid, within};
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::MAX_MESSAGE;
use aside_protocol::refusal::Stale;
use aside_protocol::request::{Answer, Send, Sent};
use aside_protocol::{Hash, N, Refusal, Seq};

/// Appends the message, or gives the answer it was given before.
pub(crate) fn send(step: &mut Step<'_>, by: &By, hash: &Hash, request: &Send) -> Result<Answer, Stop> {
    within(request.body.len(), MAX_MESSAGE)?;
    if request.body.is_empty() {
        return Err(invalid());
    }
    let sender = step.asker(by)?;
    let mut chat = ChatRow::known(step, &request.chat)?;
    let routes = match admit(step, &chat, &sender, request.n, hash, request.base)? {
        Admitted::Before(sent) => return Ok(Answer::Sent(sent)),
        Admitted::Now(routes) => routes,
    };
    let (n, base, body) = (request.n, request.base, &request.body);
    let previous = dedup::previous(step, chat.id, sender.id)?;
    let entry = Entry {
        kind: EnvelopeKind::Message,
        n,
        previous,
        base,
        incarnation: None,
        hash,
        body,
        blob: None,
        routing: None,
    };
    append(step, &mut chat, &sender, &entry, Recipients::but(&routes, sender.id))?;
    let sent = dedup::record(step, chat.id, sender.id, n, chat.last)?;
    chat.keep(step);
    Ok(Answer::Sent(sent))
}

/// The outcome of the checks that messages and commits share.
pub(super) enum Admitted {
    /// Accepted before; this was the answer.
    Before(Sent),
    /// To be stored now, for these devices.
    Now(Routes),
}

/// The number first, then membership, then the base (rule `ORD-2`): so a lost answer is repeated even to who has left
/// since. Who is not in the chat learns nothing else, not even from a number's refusal whether the chat exists.
pub(super) fn admit(
    step: &mut Step<'_>,
    chat: &ChatRow,
    sender: &DeviceRow,
    n: N,
    hash: &Hash,
    base: Seq,
) -> Result<Admitted, Stop> {
    let routes = members::routes(step, chat)?;
    let routed = members::is_routed(&routes, sender.id);
    match dedup::check(step, chat.id, sender.id, n, hash) {
        Ok(Some(sent)) => return Ok(Admitted::Before(sent)),
        Ok(None) if routed => {}
        Err(refusal @ Stop::Refused(_)) if routed => return Err(refusal),
        Ok(None) | Err(Stop::Refused(_)) => return Err(not_member()),
        Err(failure) => return Err(failure),
    }
    if base != chat.base {
        return Err(Refusal::Stale(Stale { base: chat.base }).into());
    }
    Ok(Admitted::Now(routes))
}

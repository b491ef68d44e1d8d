//! Requests of others to be removed from a chat, or added by its link: checked when they are served.

use crate::error::Result;
use crate::outbox::quit;
use crate::rules::{asked_to_leave, open_join};
use crate::step::Step;
use aside_protocol::envelope::Envelope;
use aside_protocol::group::{LeaveRequest, SignedLeave};
use aside_protocol::{Body, codec};
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::TaskKind;

/// Somebody wants to leave (rule `LEA-2`). If it is the own account, by another device, this one sends nothing any more:
/// only a signature of a device that the own list names may silence it.
pub(super) fn leave(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let Some(body) = &envelope.body else { return Ok(()) };
    let Some((request, signed)) = read(body) else { return Ok(()) };
    let Some(entry) = step.tx.member(chat.row, &request.account)? else { return Ok(()) };
    let genuine = request.chat == chat.chat
        && (request.account, request.device) == (envelope.account, envelope.from)
        && request.since == entry.since
        && !chat.is_direct();
    let own = request.account == step.account;
    let known = step.tx.account(&request.account)?;
    let key = known.and_then(|known| known.list.list.device(&request.device).map(|entry| entry.key));
    let signed = match key {
        Some(key) => asked_to_leave(&signed, &key),
        // Others' devices may stand in a list that is not known here yet: who serves the request judges it by the leaf.
        None => !own,
    };
    if !genuine || !signed {
        return Ok(());
    }
    if own {
        return quit::begun_elsewhere(step, chat);
    }
    let due = step.patience(chat, &request.account)?;
    step.add_task(chat, TaskKind::Leave, request.account.as_ref().to_vec(), body.clone(), due, false)
}

fn read(body: &Body) -> Option<(LeaveRequest, SignedLeave)> {
    let signed: SignedLeave = codec::decode(&body.0).ok()?;
    Some((codec::decode(&signed.request.0).ok()?, signed))
}

/// Somebody has the channel's link (rule `JOI-2`).
pub(super) fn join(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let Some(body) = &envelope.body else { return Ok(()) };
    let Some((request, _)) = open_join(body) else { return Ok(()) };
    let fits = request.chat == chat.chat && request.device == envelope.from && chat.state == ChatState::Live;
    if !fits || step.tx.member(chat.row, &envelope.account)?.is_some() {
        return Ok(());
    }
    let due = step.patience(chat, &envelope.account)?;
    step.add_task(chat, TaskKind::Join, envelope.account.as_ref().to_vec(), body.clone(), due, false)
}

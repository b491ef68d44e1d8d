//! Requests of others to be removed from a chat, or added by its link: checked when they are served.

use crate::error::Result;
use crate::rules::open_join;
use crate::step::Step;
use aside_protocol::envelope::Envelope;
use aside_protocol::group::{LeaveRequest, SignedLeave};
use aside_protocol::{Body, codec};
use aside_store::chats::{Chat, ChatState};
use aside_store::tasks::TaskKind;

/// Somebody wants to leave (rule `LEA-2`). If it is the own account, by another device, this one sends nothing any more.
pub(super) fn leave(step: &mut Step, chat: &mut Chat, envelope: &Envelope) -> Result<()> {
    let Some(body) = &envelope.body else { return Ok(()) };
    let Some(request) = read(body) else { return Ok(()) };
    let Some(entry) = step.tx.member(chat.row, &request.account)? else { return Ok(()) };
    let genuine = request.chat == chat.chat
        && (request.account, request.device) == (envelope.account, envelope.from)
        && request.since == entry.since
        && !chat.is_direct();
    if !genuine {
        return Ok(());
    }
    if request.account == step.account {
        // The others are asked already; this device waits with it.
        let due = aside_protocol::Millis(step.now.0.saturating_add(24 * 3600 * 1000));
        return step.add_task(chat, TaskKind::Quit, Vec::new(), body.clone(), due, false);
    }
    let due = step.patience(chat, &request.account)?;
    step.add_task(chat, TaskKind::Leave, request.account.as_ref().to_vec(), body.clone(), due, false)
}

fn read(body: &Body) -> Option<LeaveRequest> {
    let signed: SignedLeave = codec::decode(&body.0).ok()?;
    codec::decode(&signed.request.0).ok()
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

//! Asking to be added again, and sending others what they could not read.

use crate::error::Result;
use crate::link::Pending;
use crate::packages::suite_of;
use crate::step::Step;
use aside_crypto::rejoin::sign_rejoin;
use aside_protocol::group::Role;
use aside_protocol::rejoin::{self, MAX_RANGES, RejoinRequest, SeqRange};
use aside_protocol::request::{Rejoin, Request, Suite};
use aside_protocol::{AccountId, Body, DeviceId, Millis, Seq};
use aside_store::chats::{Chat, ChatState, UNKNOWN_KIND};
use aside_store::tasks::TaskKind;
use std::collections::BTreeSet;

/// The longest time between two requests, in milliseconds (a day).
const LONGEST_REPEAT_MS: u64 = 24 * 3600 * 1000;

/// Most messages sent again for one request: ranges may overlap, and whoever asks pays nothing.
const MAX_AGAIN: usize = 5000;

/// Asks the other devices of a chat to add this one again, when it is time to.
pub(super) fn ask(step: &mut Step, chat: &mut Chat) -> Result<()> {
    if nobody_in_order(step, chat)? && !step.is_founder(chat)? {
        let due = step.patience(chat, &chat.peer)?;
        step.add_task(chat, TaskKind::Found, Vec::new(), Body::default(), due, false)?;
    }
    let patience = match chat.state {
        ChatState::AwaitingWelcome if !step.link.restored => step.config.welcome_patience_ms,
        _ => 0,
    };
    // Asked again after ever longer times, so that a peer who is away for weeks does not find thousands of requests.
    let asked_for = chat.asked.0.saturating_sub(chat.since.0).min(LONGEST_REPEAT_MS);
    let repeat = if chat.asked == Millis(0) { 0 } else { step.config.rejoin_repeat_ms.max(asked_for) };
    let due = passed(chat.since, patience, step.now) && passed(chat.asked, repeat, step.now);
    if !due || step.link.chat(chat.row).rejoin {
        return Ok(());
    }
    let not_after = Millis(step.now.0.saturating_add(step.config.key_package_ms));
    let key_package = step.scope().key_package(suite(chat), false, not_after)?;
    let request = RejoinRequest {
        chat: chat.chat,
        incarnation: chat.incarnation,
        device: step.me.device,
        key_package,
        missing: missing(step, chat)?,
    };
    let body = sign_rejoin(&request, &step.me.key);
    step.link.chat(chat.row).rejoin = true;
    step.ask(Request::Rejoin(Rejoin { chat: chat.chat, body }), Pending::Rejoin(chat.row));
    Ok(())
}

/// Whether this device may found a group again because every other device in it has asked to be added: nobody can add
/// anybody (rule `REJ-3`). A request that was served is no more.
fn nobody_in_order(step: &Step, chat: &Chat) -> Result<bool> {
    let may = matches!(step.role_of(chat, &step.account)?, Some(Role::Admin | Role::Owner));
    if chat.is_direct() || !may {
        return Ok(false);
    }
    let asked: BTreeSet<DeviceId> = step.tx.rejoins(chat.row)?.into_iter().map(|task| task.device).collect();
    for entry in step.tx.roster(chat.row)?.entries {
        if step.is_going(chat, &entry.account)? {
            continue;
        }
        // Who is not known here may be in order.
        let Some(known) = step.tx.account(&entry.account)? else { return Ok(false) };
        let mut devices = known.list.list.devices.iter().map(|entry| entry.device);
        if devices.any(|device| device != step.me.device && !asked.contains(&device)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The suite of a chat; where its kind is not known, the one first and then the other.
fn suite(chat: &Chat) -> Suite {
    match chat.kind == UNKNOWN_KIND && chat.asked.0 % 2 == 1 {
        true => Suite::Classical,
        false => suite_of(chat.kind),
    }
}

/// Whether so long has passed since; a time that has not come yet was set by a clock that has been put right since.
fn passed(since: Millis, ms: u64, now: Millis) -> bool {
    since > now || now.0 >= since.0.saturating_add(ms)
}

/// What this device cannot read: its gaps, and whatever comes between this request and the commit that serves it. The
/// others only learn of that at their commit, so the last range is open; what was read after all is known by its id.
fn missing(step: &Step, chat: &Chat) -> Result<Vec<SeqRange>> {
    let gaps = step.tx.gaps(chat.row, MAX_RANGES as u32 - 1)?.into_iter().filter(|gap| gap.last > chat.shift);
    let known = gaps.map(|gap| SeqRange { from: chat.seq_of(gap.first), to: chat.seq_of(gap.last) });
    Ok(known.chain([SeqRange { from: chat.seq.next(), to: Seq::MAX }]).collect())
}

/// From where on an account may have what was written in a group: nothing before it came.
fn came(step: &Step, chat: &Chat, account: &AccountId) -> Result<Seq> {
    match step.tx.member_place(chat.row, account)? {
        Some(place) if !chat.is_direct() => Ok(chat.seq_of(place).next()),
        None if !chat.is_direct() => Ok(Seq::MAX),
        _ => Ok(Seq(0)),
    }
}

/// Puts what devices that are back could not read into the outbox again, under its first id (rule `REJ-4`).
pub(super) fn send_missing(step: &mut Step, chat: &Chat) -> Result<()> {
    for task in step.tx.rejoins(chat.row)?.into_iter().filter(|task| task.added) {
        let missing = rejoin::open(&task.request).map(|(request, _)| request.missing).unwrap_or_default();
        let mut room = MAX_AGAIN;
        let came = came(step, chat, &task.account)?;
        for SeqRange { from, to } in missing.into_iter().filter(|range| range.from > Seq(0)) {
            // What came after the commit that serves the request can be read there.
            for message in step.tx.own_messages_between(chat, &step.me.device, from.max(came), to.min(chat.base))? {
                if room > 0 && !step.tx.is_queued(message.row)? {
                    let seq = message.resent.unwrap_or(chat.seq_of(message.place));
                    step.tx.enqueue(chat.row, message.row, Some(seq))?;
                    room -= 1;
                }
            }
        }
        step.tx.finish_rejoin(&task, step.now)?;
    }
    Ok(())
}

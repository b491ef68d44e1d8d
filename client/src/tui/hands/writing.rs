//! Writes: sending, drafts, reading, taking back, trying again. Each is one transaction, asked for at once.

use super::{Tell, loads};
use crate::agent::Handle;
use aside_engine::ALWAYS;
use aside_engine::EngineError;
use aside_protocol::{AccountId, MessageId, Millis};
use aside_tui::Msg;
use aside_tui::data::Key;
use std::future::Future;

/// A message that is not accepted, for whatever reason, comes back with its text.
pub(super) fn send<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    text: String,
) -> impl Future<Output = ()> + Send + use<M> {
    let id = MessageId(*uuid::Uuid::now_v7().as_bytes());
    let written = text.clone();
    let sent = handle.step(move |step| step.send_written(&peer, id, &written));
    async move {
        let why = match sent.await {
            Ok(Ok(_)) => return,
            Ok(Err(refused)) => refused.to_string(),
            Err(error) => error.to_string(),
        };
        msgs(Msg::Refused { peer, text, why });
    }
}

pub(super) fn mark_read<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    up_to: Key,
) -> impl Future<Output = ()> + Send + use<M> {
    let marked = handle.step(move |step| step.seen_up_to(&peer, loads::spot(up_to)));
    async move { tell_failure(marked.await, &msgs) }
}

pub(super) fn save_draft<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    text: String,
) -> impl Future<Output = ()> + Send + use<M> {
    let saved = handle.step(move |step| step.save_draft(&peer, &text));
    async move { tell_failure(saved.await, &msgs) }
}

/// Until the user says otherwise.
pub(super) fn mute<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    on: bool,
) -> impl Future<Output = ()> + Send + use<M> {
    let until = if on { ALWAYS } else { Millis(0) };
    let muted = handle.step(move |step| step.mute_with(&peer, until));
    async move { tell_failure(muted.await, &msgs) }
}

pub(super) fn withdraw<M: Tell>(
    handle: &Handle,
    msgs: M,
    peer: AccountId,
    row: i64,
) -> impl Future<Output = ()> + Send + use<M> {
    let withdrawn = handle.step(move |step| step.withdraw(row));
    async move {
        let result = match withdrawn.await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        msgs(Msg::Withdrawn(peer, result));
    }
}

/// The connection's pause ends, and so do those of single chats.
pub(super) fn retry<M: Tell>(handle: &Handle, msgs: M) -> impl Future<Output = ()> + Send + use<M> {
    handle.retry_now();
    let tried = handle.step(|step| step.retry());
    async move { tell_failure(tried.await, &msgs) }
}

pub(super) fn tell_failure(result: Result<(), EngineError>, msgs: &impl Tell) {
    if let Err(error) = result {
        msgs(Msg::Failed(error.to_string()));
    }
}

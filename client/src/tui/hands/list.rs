//! The chat list.

use super::groups::{shown_kind, shown_role};
use crate::agent::{Handle, now};
use aside_engine::EngineError;
use aside_protocol::Millis;
use aside_store::summaries::{ChatSummary, Shown};
use aside_tui::Msg;
use aside_tui::data::Chat;
use std::future::Future;

/// What a line of the list needs: more text than fits on the widest terminal, and a count that nobody reads exactly.
const SHOWN: Shown = Shown { text: 400, unread: 100 };

pub(super) fn chats(handle: &Handle) -> impl Future<Output = Result<Msg, EngineError>> + Send + use<> {
    let now = now();
    handle.read(move |tx| Ok(Msg::Chats(tx.summaries(SHOWN)?.into_iter().map(|line| chat(line, now)).collect())))
}

fn chat(line: ChatSummary, now: Millis) -> Chat {
    Chat {
        peer: line.peer,
        name: line.name,
        kind: shown_kind(line.kind),
        role: line.role.map(shown_role),
        unread: line.unread,
        last: line.last,
        last_own: line.last_own,
        last_by: line.last_by,
        time: line.time,
        pending: line.pending,
        draft: line.draft.is_some(),
        draft_elsewhere: line.draft_elsewhere,
        key_changed: line.key_changed,
        muted: line.muted_until > now,
    }
}

//! Leaving.

use crate::cmd::Cmd;
use crate::model::{Model, TWICE};
use aside_protocol::Millis;

/// The first one says what a second one does.
pub(super) fn interrupt(model: &mut Model) -> Vec<Cmd> {
    if model.leaving.is_some_and(|until| model.now <= until) {
        return leave(model);
    }
    model.leaving = Some(Millis(model.now.0.saturating_add(TWICE)));
    model.say("Ctrl-C once more leaves. What you wrote is kept.");
    Vec::new()
}

/// Leaves; what is being written is kept.
pub(super) fn leave(model: &mut Model) -> Vec<Cmd> {
    super::send::save_draft(model).into_iter().chain([Cmd::Quit]).collect()
}

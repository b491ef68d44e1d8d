//! What was written is sent, or kept.

use super::interrupt;
use crate::cmd::Cmd;
use crate::layout::{banner, silence};
use crate::model::Model;
use aside_protocol::limits::MAX_TEXT;

/// Sends what is written. `:quit` leaves instead, so that nobody who wants to leave tells others so.
pub(super) fn send(model: &mut Model) -> Vec<Cmd> {
    let Some(open) = model.open_mut() else { return Vec::new() };
    match open.composer.text().trim() {
        "" => return Vec::new(),
        ":quit" | ":q" => {
            open.composer.clear();
            return interrupt::leave(model);
        }
        // Before the draft is known, nobody knows what would be sent.
        _ if open.page.is_none() => {
            open.eager = true;
            return Vec::new();
        }
        _ => {}
    }
    if open.composer.is_too_long() {
        model.say(format!("A message holds {} KiB, and this is more. Send it in parts.", MAX_TEXT / 1024));
        return Vec::new();
    }
    if let Some(banner) = model.desk().and_then(banner) {
        model.say(banner);
        return Vec::new();
    }
    if let Some(why) = silence(model.desk()) {
        model.say(why);
        return Vec::new();
    }
    take(model)
}

fn take(model: &mut Model) -> Vec<Cmd> {
    let Some(open) = model.open_mut() else { return Vec::new() };
    open.divider = None;
    let send = Cmd::Send { peer: open.peer, text: open.composer.take() };
    let load = open.to_end();
    std::iter::once(send).chain(load).collect()
}

/// Keeps what is being written, if that was not done yet.
pub(super) fn save_draft(model: &mut Model) -> Option<Cmd> {
    let open = model.open_mut()?;
    // What is typed before the draft is known is kept only if the chat is left before that.
    let text = open.composer.unsaved()?;
    Some(Cmd::SaveDraft { peer: open.peer, text })
}

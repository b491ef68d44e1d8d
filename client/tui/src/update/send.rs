//! What was written is sent, or kept.

use super::interrupt;
use crate::cmd::Cmd;
use crate::layout::banner;
use crate::model::Model;

/// Sends what is written. `:quit` leaves instead, so that nobody who wants to leave tells others so.
pub(super) fn send(model: &mut Model) -> Vec<Cmd> {
    let Some(composer) = model.open_mut().and_then(|open| open.composer.as_mut()) else { return Vec::new() };
    match composer.text().trim() {
        "" => return Vec::new(),
        ":quit" | ":q" => {
            drop(composer.take());
            return interrupt::leave(model);
        }
        _ => {}
    }
    if let Some(banner) = model.desk().and_then(banner) {
        model.say(banner);
        return Vec::new();
    }
    let Some(composer) = model.open_mut().and_then(|open| open.composer.as_mut()) else { return Vec::new() };
    let text = composer.take();
    let Some(open) = model.open_mut() else { return Vec::new() };
    open.divider = None;
    let send = Cmd::Send { peer: open.peer, text };
    let load = open.to_end();
    std::iter::once(send).chain(load).collect()
}

/// Keeps what is being written, if that was not done yet.
pub(super) fn save_draft(model: &mut Model) -> Option<Cmd> {
    let open = model.open_mut()?;
    let text = open.composer.as_mut()?.unsaved()?;
    Some(Cmd::SaveDraft { peer: open.peer, text })
}

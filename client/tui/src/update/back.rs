//! Back to the list; overlays closed.

use crate::cmd::Cmd;
use crate::model::{Focus, Model, Overlay};

/// From the composer to the list. What was being written is kept.
pub(super) fn back(model: &mut Model) -> Vec<Cmd> {
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    desk.focus = Focus::List;
    desk.cursor = desk.open.as_ref().map(|open| open.peer).or(desk.cursor);
    super::send::save_draft(model).into_iter().collect()
}

/// Takes the overlay away.
pub(super) fn close(model: &mut Model) -> Vec<Cmd> {
    let closed = model.desk_mut().and_then(|desk| desk.overlay.take());
    match closed {
        Some(Overlay::Devices(devices)) => super::devices::closed(&devices),
        _ => Vec::new(),
    }
}

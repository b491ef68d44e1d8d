//! Through the history.

use crate::cmd::Cmd;
use crate::layout;
use crate::model::{Anchor, Model, Overlay};

/// Scrolls by rows, down if positive. In an overlay the overlay is scrolled.
pub(super) fn scroll(model: &mut Model, rows: isize) -> Vec<Cmd> {
    let size = model.size;
    let Some(desk) = model.desk_mut() else { return Vec::new() };
    let shown = layout::shows_conversation(size, desk);
    match &mut desk.overlay {
        Some(Overlay::Help(down) | Overlay::Info { down, .. }) => {
            *down = down.saturating_add_signed(i16::try_from(rows).unwrap_or(0));
            Vec::new()
        }
        Some(_) => Vec::new(),
        None => desk.open.as_mut().filter(|_| shown).and_then(|open| open.scroll(rows)).into_iter().collect(),
    }
}

/// Scrolls by screens, less two rows that stay for orientation.
pub(super) fn by_screens(model: &mut Model, screens: isize) -> Vec<Cmd> {
    let rows = model.open_mut().map_or(0, |open| isize::from(open.room.1.saturating_sub(2).max(1).cast_signed()));
    scroll(model, screens * rows)
}

/// To the newest message.
pub(super) fn to_end(model: &mut Model) -> Vec<Cmd> {
    model.open_mut().filter(|open| open.anchor != Anchor::End).and_then(|open| open.to_end()).into_iter().collect()
}

//! Where things are on the screen: shared by the view, which draws there, and the update, which must know what is seen.

use crate::model::{Desk, Focus, Model, Stage};
use crate::text;
use ratatui::layout::{Constraint, Layout, Rect};

/// Below so many columns list and conversation take turns.
pub const FOLD: u16 = 60;
/// Most columns of the list.
const LIST: u16 = 34;

/// Fewest columns and rows that anything useful fits into.
const LEAST: (u16, u16) = (20, 6);
/// Columns before what is being written.
pub const PROMPT: u16 = 2;

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The chat list; no columns when it is folded away.
    pub list: Rect,
    /// The conversation's title.
    pub title: Rect,
    /// The history.
    pub history: Rect,
    /// One line about what stands in the way of sending; no row if nothing does.
    pub banner: Rect,
    /// The composer.
    pub composer: Rect,
    /// The status line.
    pub status: Rect,
}

/// Whether nothing useful fits.
pub fn is_too_small(size: (u16, u16)) -> bool {
    size.0 < LEAST.0 || size.1 < LEAST.1
}

/// Whether the conversation is on the screen.
pub fn shows_conversation(size: (u16, u16), desk: &Desk) -> bool {
    !is_too_small(size) && desk.open.is_some() && (size.0 >= FOLD || desk.focus == Focus::Composer)
}

/// The parts for a terminal of this size.
pub fn areas(size: (u16, u16), desk: &Desk) -> Areas {
    let screen = Rect::new(0, 0, size.0, size.1);
    let [above, status] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(screen);
    let columns = if size.0 >= FOLD {
        (size.0 / 3).min(LIST)
    } else if shows_conversation(size, desk) {
        0
    } else {
        size.0
    };
    let [list, open] = Layout::horizontal([Constraint::Length(columns), Constraint::Fill(1)]).areas(above);
    let composer = composer_rows(desk, open.width, size.1);
    let banner = u16::from(banner(desk).is_some());
    let rows = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(banner), Constraint::Length(composer)];
    let [title, history, banner, composer] = Layout::vertical(rows).areas(open);
    Areas { list, title, history, banner, composer, status }
}

/// As many rows as the text needs, up to a third of the screen.
fn composer_rows(desk: &Desk, columns: u16, rows: u16) -> u16 {
    let composer = desk.open.as_ref().map(|open| &open.composer);
    let needed = composer.map_or(1, |composer| composer.rows(columns.saturating_sub(PROMPT).max(2)));
    u16::try_from(needed).unwrap_or(u16::MAX).min(rows / 3).max(1)
}

/// What stands in the way of sending in the open conversation.
pub fn banner(desk: &Desk) -> Option<String> {
    let open = desk.open.as_ref()?;
    let chat = desk.chat(&open.peer)?;
    if chat.key_changed {
        return Some(format!(
            "{} has a new key. No message goes out until you decide: Alt-I",
            text::one_line(&open.name)
        ));
    }
    None
}

/// Why nothing can be written in the open conversation, if so.
pub fn silence(desk: Option<&Desk>) -> Option<&'static str> {
    let desk = desk?;
    desk.chat(&desk.open.as_ref()?.peer)?.silence()
}

/// Tells the open conversation how much room it has, and measures it anew if that changed.
pub fn fit(model: &mut Model) {
    let size = model.size;
    let Stage::Desk(desk) = &mut model.stage else { return };
    if !shows_conversation(size, desk) {
        return;
    }
    let areas = areas(size, desk);
    let Desk { me, open, .. } = &mut **desk;
    let Some(open) = open else { return };
    let room = (areas.history.width, areas.history.height);
    let narrower = open.room.0 != room.0;
    open.room = room;
    if narrower {
        open.lay_out(&me.name, &model.zone);
    }
}

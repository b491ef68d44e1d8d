//! Where text is written.

use super::is_writing;
use crate::layout::{PROMPT, silence};
use crate::model::Desk;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

pub(super) fn view(desk: &Desk, theme: Theme, frame: &mut Frame, area: Rect) {
    let Some(composer) = desk.open.as_ref().map(|open| &open.composer) else { return };
    if let Some(why) = silence(Some(desk)) {
        frame.render_widget(Line::styled(format!(" {why}"), theme.quiet()), area);
        return;
    }
    frame.render_widget(
        Line::styled("> ", theme.title()),
        Rect { width: area.width.min(PROMPT), height: area.height.min(1), ..area },
    );
    let inner = Rect { x: area.x + PROMPT, width: area.width.saturating_sub(PROMPT), ..area };
    frame.render_widget(composer.area(), inner);
    if is_writing(desk) {
        let (cursor, top) = (composer.area().screen_cursor(), composer.area().scroll_offset());
        let column = u16::try_from(cursor.col).unwrap_or(u16::MAX).saturating_sub(top.1);
        let row = u16::try_from(cursor.row).unwrap_or(u16::MAX).saturating_sub(top.0);
        let x = inner.x.saturating_add(column).min(inner.right().saturating_sub(1));
        let y = inner.y.saturating_add(row).min(inner.bottom().saturating_sub(1));
        frame.set_cursor_position(Position { x, y });
    }
}

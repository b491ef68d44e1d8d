//! The frame that overlays are drawn in.

use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Clear, Padding, Paragraph, Wrap};

/// Clears room in the middle and draws a frame with a title and a hint; returns what is inside.
pub(super) fn frame(frame: &mut Frame, area: Rect, want: (u16, u16), title: &str, hint: &str, theme: Theme) -> Rect {
    let (width, height) = (want.0.saturating_add(4).min(area.width), want.1.saturating_add(2).min(area.height - 1));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - 1 - height) / 2;
    let rect = Rect::new(x, y, width, height);
    let block = Block::bordered()
        .title(Line::styled(format!(" {title} "), theme.title()))
        .title_bottom(Line::styled(format!(" {hint} "), theme.quiet()))
        .padding(Padding::horizontal(1));
    let inner = block.inner(rect);
    frame.render_widget(Clear, rect);
    frame.render_widget(block, rect);
    inner
}

/// A text in such a frame, so many rows scrolled down, as far as that makes sense.
pub(super) fn text(target: &mut Frame, area: Rect, text: Text, down: u16, title: &str, hint: &str, theme: Theme) {
    let columns = area.width.saturating_sub(4).min(72);
    let paragraph = Paragraph::new(text).wrap(Wrap { trim: false });
    let rows = u16::try_from(wrapped_rows(&paragraph, columns)).unwrap_or(u16::MAX);
    let inner = frame(target, area, (columns, rows), title, hint, theme);
    let down = down.min(rows.saturating_sub(inner.height));
    target.render_widget(paragraph.scroll((down, 0)), inner);
}

/// Rows that a paragraph takes: drawn once where nobody sees it, since the widget tells nobody its height.
pub(super) fn wrapped_rows(paragraph: &Paragraph, columns: u16) -> usize {
    use ratatui::buffer::Buffer;
    use ratatui::widgets::Widget;
    const TALL: u16 = 200;
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns.max(1), TALL));
    paragraph.clone().render(buffer.area, &mut buffer);
    let blank = |row: &u16| (0..columns).all(|column| buffer[(column, *row)].symbol() == " ");
    usize::from((0..TALL).rev().find(|row| !blank(row)).map_or(1, |row| row + 1))
}

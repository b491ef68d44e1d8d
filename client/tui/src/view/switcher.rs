//! Finding a chat, or beginning one.

use super::popup;
use crate::model::Desk;
use crate::model::overlay::Switcher;
use crate::text;
use crate::theme::Theme;
use crate::update::{is_link, wanted_name};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

/// Chats shown at once.
const SHOWN: u16 = 10;

pub(super) fn view(desk: &Desk, switcher: &Switcher, theme: Theme, frame: &mut Frame, area: Rect) {
    let width = area.width.saturating_sub(4).min(48);
    let rows = SHOWN.min(area.height.saturating_sub(6)).max(1);
    let inner = popup::frame(frame, area, (width, rows + 3), "Find or begin a chat", "Enter open  Esc close", theme);
    let query = format!("> {}", text::one_line(&switcher.query));
    frame.render_widget(Line::raw(query.clone()), Rect { height: 1, ..inner });
    let x = inner.x.saturating_add(u16::try_from(text::width(&query)).unwrap_or(u16::MAX));
    frame.set_cursor_position(Position { x: x.min(inner.right().saturating_sub(1)), y: inner.y });
    let mut lines = lines(desk, switcher, usize::from(inner.width), theme);
    let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let from = (switcher.cursor + 1).saturating_sub(usize::from(rows));
    lines.drain(..from.min(lines.len()));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), below);
}

fn lines(desk: &Desk, switcher: &Switcher, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let chosen = |index: usize, line: Line<'static>| {
        if index == switcher.cursor { line.style(theme.chosen()) } else { line }
    };
    let mut lines: Vec<Line> = Vec::new();
    for (index, peer) in switcher.hits.iter().enumerate() {
        let Some(chat) = desk.chat(peer) else { continue };
        let unread = if chat.unread > 0 { format!(" ({})", chat.unread) } else { String::new() };
        let name = text::clip(&text::one_line(&chat.label()), columns.saturating_sub(unread.len())).0.into_owned();
        lines.push(chosen(index, Line::raw(format!("{name}{unread}"))));
    }
    if let Some(name) = wanted_name(switcher) {
        let words = if switcher.looking.is_some() {
            format!("Asking the relay for {}…", text::one_line(&name))
        } else {
            format!("Write to {} (asks the relay)", text::one_line(&name))
        };
        lines.push(chosen(switcher.hits.len(), Line::raw(words)));
    }
    if is_link(&switcher.query) {
        let words = match &switcher.looking {
            Some(title) => format!("Asking to be let into »{}…", text::one_line(title)),
            None => "Join the channel of this link".to_owned(),
        };
        lines.push(chosen(switcher.hits.len(), Line::raw(words)));
    }
    lines.extend(switcher.failed.as_ref().map(|why| Line::styled(text::one_line(why), theme.alert())));
    lines
}

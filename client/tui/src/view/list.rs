//! The chat list: name, unread, the last message and its time.

use crate::data::Chat;
use crate::model::{Desk, Focus, Model};
use crate::text;
use crate::theme::Theme;
use crate::times;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

/// Rows of a chat.
const ROWS: usize = 2;

pub(super) fn view(model: &Model, desk: &Desk, theme: Theme, frame: &mut Frame, area: Rect) {
    let folded = area.width == model.size.0;
    let block = Block::new().borders(if folded { Borders::NONE } else { Borders::RIGHT }).border_style(theme.quiet());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if desk.list().is_empty() {
        let hint = if desk.chats.is_some() { "No chats yet. Ctrl-P and a name begin one." } else { "" };
        frame.render_widget(Paragraph::new(hint).wrap(Wrap { trim: true }), inner);
        return;
    }
    let fit = (usize::from(inner.height) / ROWS).max(1);
    let cursor = desk.cursor_index();
    let from = (cursor + 1).saturating_sub(fit);
    for (place, chat) in desk.list().iter().skip(from).take(fit).enumerate() {
        let y = inner.y + u16::try_from(place * ROWS).unwrap_or(u16::MAX);
        let height = u16::try_from(ROWS).unwrap_or(1).min(inner.bottom() - y);
        let chosen = is_chosen(desk, chat, from + place == cursor);
        let style = if chosen { theme.chosen() } else { Style::new() };
        // Reversed, a colour would be a patch.
        let name = if chosen { theme.own_name() } else { theme.name(chat.peer.as_ref()) };
        let lines = chat_lines(model, desk, chat, (inner.width, name), theme);
        frame.render_widget(Paragraph::new(lines).style(style), Rect { y, height, ..inner });
    }
}

fn is_chosen(desk: &Desk, chat: &Chat, at_cursor: bool) -> bool {
    let open = desk.open.as_ref().is_some_and(|open| open.peer == chat.peer);
    (desk.focus == Focus::List && at_cursor) || (desk.focus == Focus::Composer && open)
}

fn chat_lines(
    model: &Model,
    desk: &Desk,
    chat: &Chat,
    (columns, name_style): (u16, Style),
    theme: Theme,
) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    let time = chat.time.map(|time| times::short(time, model.now, &model.zone)).unwrap_or_default();
    let name = clipped(&chat.label(), columns.saturating_sub(time.len() + 3));
    let gap = columns.saturating_sub(text::width(&name) + time.len() + 1);
    let first = Line::from(vec![
        Span::styled(format!(" {name}"), name_style),
        Span::raw(" ".repeat(gap.saturating_sub(1))),
        Span::styled(time, theme.quiet()),
    ]);
    let open = desk.open.as_ref().is_some_and(|open| open.peer == chat.peer);
    let (mark, style) = mark(chat, open, theme);
    let last = clipped(&last(chat), columns.saturating_sub(text::width(&mark) + 4));
    let gap = columns.saturating_sub(text::width(&last) + text::width(&mark) + 4);
    let second =
        Line::from(vec![Span::raw(format!("   {last}")), Span::raw(" ".repeat(gap)), Span::styled(mark, style)]);
    vec![first, second]
}

/// What needs attention in a chat: a new key, what is unread, what is not sent, a draft. A muted chat asks for none.
fn mark(chat: &Chat, open: bool, theme: Theme) -> (String, Style) {
    match chat {
        chat if chat.key_changed => (" key!".into(), theme.alert()),
        chat if chat.unread > 0 && chat.muted => (format!(" ({}) muted", chat.unread), theme.quiet()),
        chat if chat.unread > 0 => (format!(" ({})", chat.unread), theme.unread()),
        chat if chat.pending > 0 => (" …".into(), theme.quiet()),
        chat if chat.draft && !open => (" ✎".into(), theme.quiet()),
        chat if chat.draft_elsewhere => (" ✎ elsewhere".into(), theme.quiet()),
        chat if chat.muted => (" muted".into(), theme.quiet()),
        _ => (String::new(), Style::new()),
    }
}

fn last(chat: &Chat) -> String {
    let last = chat.last.as_deref().unwrap_or_default();
    // More would not be seen, and a text can be long.
    let beginning: String = last.chars().take(200).collect();
    let beginning = text::one_line(&beginning);
    match &chat.last_by {
        _ if chat.last_own => format!("you: {beginning}"),
        Some(by) => format!("{}: {beginning}", text::one_line(by)),
        None => beginning,
    }
}

fn clipped(text: &str, columns: usize) -> String {
    text::clip(&text::one_line(text), columns).0.into_owned()
}

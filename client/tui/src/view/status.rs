//! One line: connection, what is not sent, and hints.

use crate::data::Link;
use crate::data::devices::Moving;
use crate::model::{Desk, Focus, Model};
use crate::text;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub(super) fn view(model: &Model, desk: &Desk, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(area.width);
    if let Some((note, _)) = &model.note {
        let note = text::clip(&text::one_line(note), columns.saturating_sub(1)).0.into_owned();
        frame.render_widget(Line::styled(format!(" {note}"), theme.title()), area);
        return;
    }
    let (link, style) = link(&model.link, theme);
    let mut left = vec![Span::styled(format!(" {link}"), style)];
    if desk.pending() > 0 {
        left.push(Span::styled(format!("  {} not sent", desk.pending()), theme.alert()));
    }
    if let Some(moving) = &model.moving {
        left.push(Span::styled(format!("  {}", moved(moving)), theme.quiet()));
    }
    let unread = desk.unread_elsewhere();
    if unread > 0 && area.width >= crate::layout::FOLD {
        left.push(Span::styled(format!("  {unread} unread elsewhere"), theme.unread()));
    }
    let used: usize = left.iter().map(|span| text::width(&span.content)).sum();
    let hints = hints(model, desk).into_iter().find(|hints| used + text::width(hints) + 3 <= columns).unwrap_or("");
    left.push(Span::raw(" ".repeat(columns.saturating_sub(used + text::width(hints) + 1))));
    left.push(Span::styled(hints, theme.quiet()));
    frame.render_widget(Line::from(left), area);
}

fn link(link: &Link, theme: Theme) -> (String, Style) {
    match link {
        Link::Connecting => ("connecting…".into(), theme.quiet()),
        Link::Online { transport, caught_up: true } => (format!("online, {transport}"), theme.quiet()),
        Link::Online { transport, caught_up: false } => (format!("catching up, {transport}"), theme.quiet()),
        Link::Offline { .. } => ("offline (Alt-C)".into(), theme.alert()),
        Link::Stopped { .. } => ("not connected (Alt-C)".into(), theme.alert()),
        Link::Failed { .. } => ("trouble here (Alt-C)".into(), theme.alert()),
    }
}

/// How far a history is on its way.
fn moved(moving: &Moving) -> String {
    let way = if moving.here { "getting history" } else { "giving history" };
    match moving.total {
        0 => format!("{way}…"),
        total => format!("{way} {} of {total}", moving.done),
    }
}

/// From long to short: the first that fits is shown.
fn hints(model: &Model, desk: &Desk) -> [&'static str; 3] {
    let folded = model.size.0 < crate::layout::FOLD;
    match desk.focus {
        Focus::Composer if folded => ["Esc chats  Ctrl-P find  F1 help", "Esc chats  F1 help", "F1"],
        Focus::Composer => [
            "Enter send  Alt-Enter line  PgUp history  Alt-↑↓ chats  Ctrl-P find  F1 help",
            "Enter send  Ctrl-P find  F1 help",
            "F1 help",
        ],
        Focus::List => [
            "Enter open  i info  Ctrl-P find  ? help  Ctrl-C twice leaves",
            "Enter open  Ctrl-P find  ? help",
            "? help",
        ],
    }
}

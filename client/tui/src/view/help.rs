//! The keys, from the table itself.

use super::popup;
use crate::keymap::{Binding, Place, TABLE};
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};

pub(super) fn view(down: u16, theme: Theme, frame: &mut Frame, area: Rect) {
    let mut lines = Vec::new();
    for (place, title) in [
        (Place::Composer, "Writing"),
        (Place::Desk, "Moving"),
        (Place::List, "Chat list"),
        (Place::Members, "Members of a group (Alt-I)"),
        (Place::Anywhere, "Leaving"),
    ] {
        lines.push(Line::styled(title, theme.title()));
        lines.extend(
            TABLE.iter().filter(|line| line.place == place && !line.help.is_empty()).map(|line| key(line, theme)),
        );
        lines.push(Line::raw(""));
    }
    lines.push(Line::raw("Text is selected with Shift and the mouse."));
    lines.push(Line::raw(""));
    lines.push(Line::styled("Ticks", theme.title()));
    lines.push(Line::raw("  …    not sent yet      ✓    at the relay"));
    lines.push(Line::raw("  ✓✓   delivered         ✓✓•  read"));
    popup::text(frame, area, Text::from(lines), down, "Keys", "↑↓ scroll  Esc close", theme);
}

fn key(binding: &Binding, theme: Theme) -> Line<'static> {
    Line::from(vec![Span::styled(format!("  {:<10} ", binding.key), theme.title()), Span::raw(binding.help)])
}

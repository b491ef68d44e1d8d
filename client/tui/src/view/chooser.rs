//! A group or channel is made, or people are added to one.

use super::popup;
use crate::data::Kind;
use crate::model::Desk;
use crate::model::overlay::{Chooser, Purpose};
use crate::text;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

/// People shown at once.
const SHOWN: u16 = 10;

pub(super) fn view(desk: &Desk, chooser: &Chooser, theme: Theme, frame: &mut Frame, area: Rect) {
    let width = area.width.saturating_sub(4).min(56);
    let rows = SHOWN.min(area.height.saturating_sub(7)).max(1);
    let (title, hint) = words(desk, chooser);
    let inner = popup::frame(frame, area, (width, rows + 4), &title, hint, theme);
    let query = format!("> {}", text::one_line(&chooser.query));
    frame.render_widget(Line::raw(query.clone()), Rect { height: 1.min(inner.height), ..inner });
    let x = inner.x.saturating_add(u16::try_from(text::width(&query)).unwrap_or(u16::MAX));
    frame.set_cursor_position(Position { x: x.min(inner.right().saturating_sub(1)), y: inner.y });
    let mut above = Vec::new();
    above.extend(chooser.failed.as_ref().map(|why| Line::styled(text::one_line(why), theme.alert())));
    above.extend(chosen(chooser).map(Line::raw));
    let mut lines = lines(desk, chooser, theme);
    let fit = usize::from(rows);
    let from = (chooser.cursor + 1).saturating_sub(fit);
    lines.drain(..from.min(lines.len()));
    above.extend(lines);
    let below = Rect { y: (inner.y + 1).min(inner.bottom()), height: inner.height.saturating_sub(1), ..inner };
    frame.render_widget(Paragraph::new(above).wrap(Wrap { trim: false }), below);
}

fn words(desk: &Desk, chooser: &Chooser) -> (String, &'static str) {
    match &chooser.purpose {
        Purpose::Title(Kind::Channel) => ("A new channel: its name".into(), "Enter go on  Tab a group  Esc"),
        Purpose::Title(_) => ("A new group: its name".into(), "Enter go on  Tab a channel  Esc"),
        Purpose::Make(kind, title) => {
            (format!("Who is in {}{}?", kind.mark(), text::one_line(title)), "Enter choose  Esc close")
        }
        Purpose::Add(peer) => {
            let label = desk.chat(peer).map(|chat| chat.label()).unwrap_or_default();
            (format!("Who comes into {}?", text::one_line(&label)), "Enter choose  Esc close")
        }
    }
}

fn chosen(chooser: &Chooser) -> Option<String> {
    let names: Vec<String> = chooser.chosen.iter().map(|(_, name)| text::one_line(name)).collect();
    (!names.is_empty()).then(|| format!("Chosen: {}", names.join(", ")))
}

fn lines(desk: &Desk, chooser: &Chooser, theme: Theme) -> Vec<Line<'static>> {
    let mut words = Vec::new();
    let typed = chooser.query.trim();
    match &chooser.purpose {
        Purpose::Title(Kind::Channel) => {
            return vec![Line::styled("In a channel only owners and admins write.", theme.quiet())];
        }
        Purpose::Title(_) => return vec![Line::styled("In a group everybody writes.", theme.quiet())],
        Purpose::Make(kind, _) if typed.is_empty() => words.push(format!("Make the {}", kind.word())),
        Purpose::Add(_) if typed.is_empty() => words.push("Add them".to_owned()),
        _ => {}
    }
    let names = chooser.hits.iter().filter_map(|peer| desk.chat(peer)).map(|chat| text::one_line(&chat.name));
    words.extend(names);
    if !typed.is_empty() {
        words.push(match &chooser.looking {
            Some(name) => format!("Asking the relay for {}…", text::one_line(name)),
            None => format!("Look {} up at the relay", text::one_line(typed)),
        });
    }
    let line = |(index, words)| {
        let line = Line::raw(words);
        if index == chooser.cursor { line.style(theme.chosen()) } else { line }
    };
    words.into_iter().enumerate().map(line).collect()
}

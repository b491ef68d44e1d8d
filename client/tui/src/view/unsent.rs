//! What was not sent.

use super::popup;
use crate::data::Unsent;
use crate::model::Model;
use crate::text;
use crate::theme::Theme;
use crate::times;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

/// Messages shown at once.
const SHOWN: usize = 6;

pub(super) fn view(
    items: Option<&[Unsent]>,
    why: Option<&str>,
    cursor: usize,
    model: &Model,
    theme: Theme,
    frame: &mut Frame,
    area: Rect,
) {
    let columns = usize::from(area.width.saturating_sub(4).min(72));
    let mut lines = Vec::new();
    match items {
        None => lines.push(Line::raw("Looking…")),
        Some([]) => lines.push(Line::raw("Everything in this chat is sent.")),
        Some(items) => {
            lines.push(Line::raw(format!(
                "Not sent yet: {}. They go out by themselves with the next connection.",
                items.len()
            )));
            lines.extend(why.map(|why| Line::styled(text::one_line(why), theme.alert())));
            lines.push(Line::raw(""));
            let from = (cursor + 1).saturating_sub(SHOWN);
            for (index, item) in items.iter().enumerate().skip(from).take(SHOWN) {
                let kept = if item.deletable { " " } else { "·" };
                let beginning: String = item.text.chars().take(200).collect();
                let line = format!("{} {kept} {}", times::clock(item.time, &model.zone), text::one_line(&beginning));
                let line = text::clip(&line, columns).0.into_owned();
                lines.push(if index == cursor { Line::styled(line, theme.chosen()) } else { Line::raw(line) });
            }
        }
    }
    popup::text(frame, area, Text::from(lines), 0, "Not sent", "r try all now  d take back  Esc close", theme);
}

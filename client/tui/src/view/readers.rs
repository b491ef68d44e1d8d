//! Who has received and read a message.

use super::popup;
use crate::data::{Progress, Reader};
use crate::model::Desk;
use crate::text;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

pub(super) fn view(
    desk: &Desk,
    (row, readers): (i64, Option<&[Reader]>),
    down: u16,
    theme: Theme,
    frame: &mut Frame,
    area: Rect,
) {
    let columns = usize::from(area.width.saturating_sub(4).min(72));
    let written = desk.open.as_ref().and_then(|open| open.own_messages().find(|(key, _)| key.row == row));
    let beginning: String = written.map(|(_, text)| text.chars().take(200).collect()).unwrap_or_default();
    let beginning = text::clip(&text::one_line(&beginning), columns).0.into_owned();
    let mut lines = vec![Line::styled(beginning, theme.title()), Line::raw("")];
    match readers {
        None => lines.push(Line::raw("Looking…")),
        Some([]) => lines.push(Line::raw("Nobody else is here.")),
        Some(readers) => {
            for (progress, words) in [
                (Progress::Read, "Read by"),
                (Progress::Delivered, "Received by"),
                (Progress::Sent, "Not received yet by"),
            ] {
                lines.extend(group(readers, progress, words));
            }
        }
    }
    popup::text(frame, area, Text::from(lines), down, "Who has read this", "↑↓ other messages  Esc close", theme);
}

/// Those who have come this far and no further.
fn group(readers: &[Reader], progress: Progress, words: &str) -> Option<Line<'static>> {
    let names: Vec<String> = readers
        .iter()
        .filter(|reader| reader.progress.max(Progress::Sent) == progress)
        .map(|reader| text::one_line(&reader.name))
        .collect();
    (!names.is_empty()).then(|| Line::raw(format!("{words} {}: {}", names.len(), names.join(", "))))
}

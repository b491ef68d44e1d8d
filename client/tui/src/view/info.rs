//! What is known of a contact: safety number, devices, a new key.

use super::popup;
use crate::data::Info;
use crate::model::Desk;
use crate::text;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

pub(super) fn view(desk: &Desk, info: Option<&Info>, down: u16, theme: Theme, frame: &mut Frame, area: Rect) {
    let Some(info) = info else {
        popup::text(frame, area, Text::raw("Looking it up…"), 0, "Contact", "Esc close", theme);
        return;
    };
    let name = text::one_line(&info.name);
    let mut lines = Vec::new();
    if let Some((_, new)) = &info.rival {
        lines.push(Line::styled(format!("{name} has a new key."), theme.alert()));
        lines.push(Line::raw("Perhaps a new account after a loss, perhaps somebody else. Ask them in another way, by voice or in person, whether their safety number with you is:"));
        lines.push(Line::raw(""));
        lines.extend(number(new));
        lines.push(Line::raw(""));
        lines.push(Line::raw("If it is, press a. No message goes to them before."));
        lines.push(Line::raw(""));
        lines.push(Line::raw("With the key known so far it was:"));
    } else {
        lines.push(Line::raw(format!("Your safety number with {name}. Compare it in another way, by voice or in person: if both of you see the same, nobody is in between.")));
        lines.push(Line::raw(""));
    }
    lines.extend(number(&info.safety_number));
    lines.push(Line::raw(""));
    if info.rival.is_none() {
        let verified =
            if info.verified { "✓ You have compared it." } else { "Not compared yet. If it is the same, press v." };
        lines.push(Line::raw(verified));
    }
    lines.push(Line::raw(info.state));
    lines.push(Line::raw(format!("Devices: {}", info.devices)));
    lines.push(Line::raw(format!("Account: {}", info.account)));
    lines.push(Line::raw(format!("You are:  {}", desk.me.name)));
    let hint = match info.rival {
        Some(_) => "a accept the new key  Esc close",
        None if info.verified => "v not compared after all  Esc close",
        None => "v compared, and the same  Esc close",
    };
    popup::text(frame, area, Text::from(lines), down, &name, hint, theme);
}

/// Sixty digits in groups of five, four groups a line.
fn number(number: &str) -> Vec<Line<'static>> {
    let groups: Vec<&str> = number.split_whitespace().collect();
    groups.chunks(4).map(|row| Line::raw(format!("  {}", row.join(" ")))).collect()
}

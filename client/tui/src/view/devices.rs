//! The user's devices, and another one being let in.

use super::{link, popup};
use crate::data::devices::{Admission, Device};
use crate::model::overlay::Devices;
use crate::model::rows::date;
use crate::text;
use crate::theme::Theme;
use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

/// Columns of a machine's name.
const NAME: usize = 20;

pub(super) fn view(devices: &Devices, zone: &TimeZone, theme: Theme, frame: &mut Frame, area: Rect) {
    match &devices.admission {
        None => list(devices, zone, theme, frame, area),
        Some(Admission::Opening) => code(None, theme, frame, area),
        Some(Admission::Code(shown)) => code(Some(shown), theme, frame, area),
        Some(Admission::Asks { machine, fingerprint }) => {
            asks((machine, fingerprint), devices.agreed, theme, frame, area);
        }
        Some(Admission::Adding) => {
            let text = "The relay and your chats are told. This takes a moment.";
            popup::text(frame, area, Text::raw(text), 0, "Another device", "Esc close; it goes on", theme);
        }
        Some(Admission::Over(sentence)) => {
            let text = Text::raw(text::one_line(sentence));
            popup::text(frame, area, text, 0, "Another device", "Enter your devices  Esc close", theme);
        }
    }
}

fn code(code: Option<&crate::data::devices::Code>, theme: Theme, frame: &mut Frame, area: Rect) {
    let said = "On the new machine start aside, or run: aside device link. Paste this code there, or scan it. Keep it to \
        yourself: whoever has it can ask to become a device of yours. It is good for ten minutes.";
    link::page(code, ("Link another device", said, "Esc no device after all"), theme, frame, area);
}

fn asks((machine, fingerprint): (&str, &str), agreed: bool, theme: Theme, frame: &mut Frame, area: Rect) {
    let machine = text::one_line(machine);
    let mut lines = vec![
        Line::raw("A device that knows the code has come:"),
        Line::raw(""),
        Line::raw(format!("  {}", text::clip(&machine, 60).0)),
        Line::raw(format!("  {fingerprint}")),
        Line::raw(""),
    ];
    lines.push(if agreed {
        Line::styled("Which messages may it have: all (a), those of the last 30 days (m), none (n)?", theme.alert())
    } else {
        Line::styled(
            "Is this your machine, and does its screen show the same fingerprint? It will read and write as you.",
            theme.alert(),
        )
    });
    let hint = if agreed { "a all  m 30 days  n none  Esc refuse" } else { "y yes  n no  Esc refuse" };
    popup::text(frame, area, Text::from(lines), 0, "Another device", hint, theme);
}

fn list(devices: &Devices, zone: &TimeZone, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(area.width.saturating_sub(4).min(72));
    let mut lines = Vec::new();
    if let Some((_, name)) = &devices.revoking {
        let name = text::one_line(name);
        let question = format!("Remove {name} for good? What it holds already, it keeps; it gets nothing more.");
        lines.extend([Line::styled(question, theme.alert()), Line::raw("")]);
    }
    match &devices.list {
        None => lines.push(Line::raw("Looking…")),
        Some(list) => lines.extend(list.iter().enumerate().map(|(index, device)| {
            let line = text::clip(&line(device, zone), columns).0.into_owned();
            if index == devices.cursor { Line::styled(line, theme.chosen()) } else { Line::raw(line) }
        })),
    }
    let hint = if devices.revoking.is_some() { "y yes  any other key no" } else { "a add  x remove  Esc close" };
    popup::text(frame, area, Text::from(lines), 0, "Your devices", hint, theme);
}

fn line(device: &Device, zone: &TimeZone) -> String {
    let name = device.machine.as_deref().map_or_else(|| "(not named here)".to_owned(), text::one_line);
    let name = text::clip(&name, NAME).0.into_owned();
    let gap = " ".repeat(NAME.saturating_sub(text::width(&name)));
    let note = match (device.this, device.leaving) {
        (true, _) => "this one",
        (_, true) => "leaving",
        _ => "",
    };
    format!("{name}{gap}  {}  {}  {note}", date(device.added, zone), device.fingerprint)
}

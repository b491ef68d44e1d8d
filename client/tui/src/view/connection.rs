//! How things stand with the relay, and what to do about it.

use super::popup;
use crate::data::Link;
use crate::model::Desk;
use crate::text;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};

pub(super) fn view(link: &Link, desk: &Desk, theme: Theme, frame: &mut Frame, area: Rect) {
    let (title, what, todo): (&str, String, &str) = match link {
        Link::Connecting => ("Connecting", "The relay has not answered yet.".into(), "This goes on by itself."),
        Link::Online { transport, caught_up } => (
            "Online",
            format!("Connected over {transport}{}.", if *caught_up { "" } else { "; reading what came meanwhile" }),
            "Nothing to do.",
        ),
        Link::Offline { why } => (
            "Offline",
            sentence(why),
            "It is tried again by itself. You can read and write meanwhile: what you write is kept and goes out with the \
             next connection.",
        ),
        Link::Stopped { why, wrong_relay: true } => (
            "Wrong relay",
            sentence(why),
            "Nothing was sent to it. If you are on a foreign network, try another one. Ask who hosts your relay whether its \
             identity changed; if it did, you need a new invite.",
        ),
        Link::Stopped { why, .. } => (
            "Not connected",
            sentence(why),
            "It is not tried again by itself. Once that is solved, press r. What you write meanwhile is kept.",
        ),
        Link::Failed { why } => ("Trouble on this device", sentence(why), "It is tried again by itself."),
    };
    let mut lines = vec![Line::raw(what), Line::raw(""), Line::raw(todo)];
    if desk.pending() > 0 {
        lines.push(Line::raw(""));
        lines.push(Line::raw(format!("Not sent yet: {} (Alt-U in the chat shows them)", desk.pending())));
    }
    popup::text(frame, area, Text::from(lines), 0, title, "r try now  Esc close", theme);
}

/// With a capital and a full stop.
fn sentence(why: &str) -> String {
    let why = text::one_line(why);
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if why.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

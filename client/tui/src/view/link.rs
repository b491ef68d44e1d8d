//! Codes and links that go to another machine: the whole screen, so that a mouse takes nothing else with them, and a QR
//! code where there is room.

use crate::data::devices::Code;
use crate::theme::Theme;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Wrap};

/// The link of a channel.
pub(super) fn channel(link: Option<&Code>, theme: Theme, frame: &mut Frame, area: Rect) {
    let said = "Whoever has this link joins the channel, once somebody who is in it is online.";
    let hint = "x end the link  Esc close";
    page(link, ("Join link", said, hint), theme, frame, area);
}

/// A title, a sentence, the code in both forms, and the keys.
pub(super) fn page(
    code: Option<&Code>,
    (title, said, hint): (&str, &str, &str),
    theme: Theme,
    frame: &mut Frame,
    area: Rect,
) {
    frame.render_widget(Clear, area);
    let [body, keys] = rows(area);
    let mut lines = vec![Line::styled(title.to_owned(), theme.title())];
    let whole = code.is_none_or(|code| height(said, &code.link, area) <= usize::from(body.height));
    if whole {
        lines.extend([Line::raw(said.to_owned()), Line::raw("")]);
    }
    match code {
        None => lines.push(Line::raw("Asking the relay…")),
        Some(code) => lines.extend(shown(code, said, area)),
    }
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), body);
    frame.render_widget(Line::styled(hint.to_owned(), theme.quiet()), keys);
}

fn rows(area: Rect) -> [Rect; 2] {
    let body = Rect { height: area.height.saturating_sub(1), ..area };
    [body, Rect { y: area.y + body.height, height: area.height.min(1), ..area }]
}

/// Rows of title, sentence and link. A wrapped sentence may need a row more than its length says.
fn height(said: &str, link: &str, area: Rect) -> usize {
    let columns = usize::from(area.width.max(1));
    1 + said.len().div_ceil(columns) + 2 + link.len().div_ceil(columns)
}

fn shown(code: &Code, said: &str, area: Rect) -> Vec<Line<'static>> {
    let columns = usize::from(area.width.max(1));
    let drawn: Vec<&str> = code.drawn.lines().collect();
    let wide = drawn.first().map_or(0, |row| row.chars().count());
    // The keys have a row too, and one below the drawn code is empty.
    let tall = height(said, &code.link, area) + drawn.len() + 2;
    let fits = !drawn.is_empty() && tall <= usize::from(area.height) && wide <= columns;
    let mut lines = Vec::new();
    if fits {
        // Cameras want dark on bright, whatever the terminal's colours are.
        let ink = Style::new().fg(Color::White).bg(Color::Black);
        lines.extend(drawn.iter().map(|row| Line::from(Span::styled((*row).to_owned(), ink))));
        lines.push(Line::raw(""));
    }
    let text: Vec<char> = code.link.chars().collect();
    lines.extend(text.chunks(columns).map(|row| Line::raw(row.iter().collect::<String>())));
    if !fits && !drawn.is_empty() {
        let columns = columns.max(wide);
        lines.extend([Line::raw(""), Line::raw(format!("A window of {columns} by {tall} has room for a QR code."))]);
    }
    lines
}

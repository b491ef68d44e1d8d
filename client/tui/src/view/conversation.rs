//! The open conversation: title, history, and what stands in the way of sending.

use crate::LinkSpan;
use crate::data::{Entry, Progress, What};
use crate::layout::{Areas, banner};
use crate::model::rows::{Kind, Row, TICKS, TIME};
use crate::model::{Anchor, Conversation, Desk, Model};
use crate::text;
use crate::theme::Theme;
use crate::times;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};
use std::ops::Range;

pub(super) fn view(model: &Model, desk: &Desk, theme: Theme, frame: &mut Frame, areas: &Areas) -> Vec<LinkSpan> {
    let Some(open) = &desk.open else {
        welcome(desk, theme, frame, areas.history);
        return Vec::new();
    };
    title(open, theme, frame, areas.title);
    if let Some(banner) = banner(desk) {
        frame.render_widget(Line::styled(format!(" ! {banner}"), theme.alert()), areas.banner);
    }
    let History { lines, links } = History::of(model, desk, open, theme, areas.history);
    // Short conversations begin at the bottom, where the composer is.
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(areas.history.height);
    let below = Rect { y: areas.history.bottom() - rows, height: rows, ..areas.history };
    frame.render_widget(Paragraph::new(lines), below);
    links.into_iter().map(|link| LinkSpan { y: link.y + below.y, ..link }).collect()
}

fn welcome(desk: &Desk, theme: Theme, frame: &mut Frame, area: Rect) {
    let hint = if desk.list().is_empty() {
        "Press Ctrl-P, type the name of somebody at your relay, and press Enter."
    } else {
        "Enter opens a chat, Ctrl-P finds one. ? shows all keys."
    };
    let middle = Rect { y: area.y + area.height / 2, height: (area.height / 2).max(1).min(area.height), ..area };
    frame.render_widget(Paragraph::new(hint).centered().wrap(Wrap { trim: true }).style(theme.quiet()), middle);
}

fn title(open: &Conversation, theme: Theme, frame: &mut Frame, area: Rect) {
    let name = text::one_line(&format!("{}{}", open.kind.mark(), open.name));
    let below = open.anchor != Anchor::End;
    let hint = if below { "   more below: Ctrl-End" } else { "" };
    let line = Line::from(vec![
        Span::styled(format!(" {name}"), theme.name(open.peer.as_ref())),
        Span::styled(hint, theme.quiet()),
    ]);
    frame.render_widget(line, area);
}

/// The rows on the screen, as lines, and the links in them.
struct History {
    lines: Vec<Line<'static>>,
    links: Vec<LinkSpan>,
}

/// What drawing a row needs.
struct Draw<'a> {
    model: &'a Model,
    desk: &'a Desk,
    open: &'a Conversation,
    theme: Theme,
    area: Rect,
}

impl History {
    fn of(model: &Model, desk: &Desk, open: &Conversation, theme: Theme, area: Rect) -> Self {
        let mut history = Self { lines: Vec::new(), links: Vec::new() };
        let Some(page) = &open.page else { return history };
        let draw = Draw { model, desk, open, theme, area };
        let visible = open.visible();
        if page.entries.is_empty() {
            history.lines.push(Line::styled(" Nothing was written yet.", theme.quiet()));
        }
        for row in &open.rows.rows[visible] {
            let y = u16::try_from(history.lines.len()).unwrap_or(u16::MAX);
            history.lines.push(draw.row(row, &page.entries[row.entry], y, &mut history.links));
        }
        history
    }
}

impl Draw<'_> {
    fn row(&self, row: &Row, entry: &Entry, y: u16, links: &mut Vec<LinkSpan>) -> Line<'static> {
        match &row.kind {
            Kind::Day(day) => self.rule(&times::day(*day), self.theme.quiet()),
            Kind::Unread => self.rule("not read yet", self.theme.unread()),
            Kind::More(rows) => {
                let margin = " ".repeat(usize::from(TIME));
                Line::styled(format!("{margin}· {rows} more rows; aside history shows them"), self.theme.quiet())
            }
            Kind::Aside { bytes, first } => {
                let text = &self.open.rows.texts[row.entry][bytes.clone()];
                let mark = if *first { "· " } else { "  " };
                let margin = " ".repeat(usize::from(TIME));
                Line::styled(format!("{margin}{mark}{text}"), self.aside_style(entry))
            }
            Kind::Text { bytes, first, last, follows } => {
                let mut spans = self.margin(entry, *first && !*follows);
                let before = TIME + self.open.rows.name;
                let columns = self.text(row.entry, bytes.clone(), (self.area.x + before, y), &mut spans, links);
                if let What::Own { progress, .. } = &entry.what
                    && *last
                {
                    let (ticks, style) = ticks(*progress, self.theme);
                    let room = usize::from(self.area.width).saturating_sub(usize::from(before) + columns);
                    let gap = room.saturating_sub(usize::from(TICKS)) + usize::from(TICKS) - text::width(ticks);
                    spans.push(Span::raw(" ".repeat(gap.min(room.saturating_sub(text::width(ticks))))));
                    spans.push(Span::styled(ticks, style));
                }
                Line::from(spans)
            }
        }
    }

    /// Time and name, or the room they would take.
    fn margin(&self, entry: &Entry, shown: bool) -> Vec<Span<'static>> {
        let columns = usize::from(self.open.rows.name);
        if !shown {
            return vec![Span::raw(" ".repeat(usize::from(TIME) + columns))];
        }
        let time = entry.time.map(|time| times::clock(time, &self.model.zone)).unwrap_or_default();
        let (name, style) = match &entry.what {
            What::Own { .. } => (self.desk.me.name.clone(), self.theme.own_name()),
            What::Peer { by: Some(by), .. } => (text::one_line(&by.name), self.theme.name(by.account.as_ref())),
            _ => (text::one_line(&self.open.name), self.theme.name(self.open.peer.as_ref())),
        };
        let name = text::clip(&name, columns.saturating_sub(1)).0.into_owned();
        let gap = columns.saturating_sub(text::width(&name));
        vec![
            Span::styled(format!("{time:<width$}", width = usize::from(TIME)), self.theme.quiet()),
            Span::styled(name, style),
            Span::raw(" ".repeat(gap)),
        ]
    }

    /// A part of a text, its links underlined and told; returns the columns it takes.
    fn text(
        &self,
        entry: usize,
        bytes: Range<usize>,
        (x, y): (u16, u16),
        spans: &mut Vec<Span<'static>>,
        links: &mut Vec<LinkSpan>,
    ) -> usize {
        let (whole, known) = (&self.open.rows.texts[entry], &self.open.rows.links[entry]);
        links.extend(LinkSpan::of_row(whole, &bytes, known, x, y));
        let mut at = bytes.start;
        for link in known.iter().filter(|link| link.start < bytes.end && bytes.start < link.end) {
            let (from, to) = (link.start.max(at), link.end.min(bytes.end));
            spans.push(Span::raw(whole[at..from].to_owned()));
            spans.push(Span::styled(whole[from..to].to_owned(), self.theme.link()));
            at = to;
        }
        spans.push(Span::raw(whole[at..bytes.end].to_owned()));
        text::width(&whole[bytes])
    }

    fn aside_style(&self, entry: &Entry) -> Style {
        match entry.what {
            What::KeyChanged => self.theme.alert(),
            _ => self.theme.quiet(),
        }
    }

    /// A line across, with words in it.
    fn rule(&self, words: &str, style: Style) -> Line<'static> {
        let words = format!(" {words} ");
        let left = usize::from(self.area.width).saturating_sub(text::width(&words)) / 2;
        let right = usize::from(self.area.width).saturating_sub(left + text::width(&words));
        Line::styled(format!("{}{words}{}", "─".repeat(left), "─".repeat(right)), style)
    }
}

/// How far an own message has come, by shape and by colour.
fn ticks(progress: Progress, theme: Theme) -> (&'static str, Style) {
    match progress {
        Progress::Pending => ("…", theme.quiet()),
        Progress::Sent => ("✓", theme.quiet()),
        Progress::Delivered => ("✓✓", theme.quiet()),
        Progress::Read => ("✓✓•", theme.read()),
    }
}

//! Plain screens: a title, a few sentences, perhaps a field, and the keys that do something. For the first run and for
//! profiles that cannot be used. Draws, and knows nothing of what it draws.

pub(crate) mod field;
mod wrap;

pub(crate) use field::Field;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding};
use wrap::wrap;

/// Columns and rows of the box that the sentences stand in where there is room for one.
const BOX: (u16, u16) = (72, 20);

const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);

/// A key and what it does.
pub(crate) type Hint = (&'static str, &'static str);

/// The part of a screen between title and keys, line by line.
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    width: usize,
    tall: bool,
    lines: Vec<Row<'a>>,
    cursor: Option<(usize, usize)>,
}

/// A line, or room that is left out where there is none.
#[derive(Debug)]
enum Row<'a> {
    Line(Line<'a>),
    Room,
}

impl<'a> Sheet<'a> {
    /// Columns to fill.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Whether there is room for more than the least.
    pub(crate) fn tall(&self) -> bool {
        self.tall
    }

    /// Sentences.
    pub(crate) fn text(&mut self, text: &str) {
        self.styled(text, Style::new());
    }

    /// A sentence that must not be overlooked; marked by more than its colour.
    pub(crate) fn error(&mut self, text: &str) {
        self.styled(&format!("! {text}"), STRONG.fg(Color::Red));
    }

    fn styled(&mut self, text: &str, style: Style) {
        self.lines.extend(wrap(text, self.width).into_iter().map(|line| Row::Line(Line::styled(line, style))));
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, line: Line<'a>) {
        self.lines.push(Row::Line(line));
    }

    /// An empty line, where there is room.
    pub(crate) fn room(&mut self) {
        self.lines.push(Row::Room);
    }

    /// What is being typed, with the cursor.
    pub(crate) fn field(&mut self, field: &'a Field) {
        let (shown, column) = field.window(self.width.saturating_sub(3));
        self.cursor = Some((column + 2, self.lines.len()));
        self.line(Line::from(vec![Span::styled("> ", STRONG), Span::raw(shown)]));
    }

    /// The lines that fit, and the cursor among them. Room goes first; then what is above
    /// the cursor's line, or above `from`.
    fn fitted(mut self, height: usize, from: usize) -> (Vec<Line<'a>>, Option<(usize, usize)>) {
        while self.lines.len() > height {
            let Some(at) = self.lines.iter().rposition(|row| matches!(row, Row::Room)) else { break };
            self.lines.remove(at);
            self.cursor = self.cursor.map(|(column, line)| (column, if at < line { line - 1 } else { line }));
        }
        let most = self.lines.len().saturating_sub(height);
        // The end is worth more than the beginning: errors stand below the field.
        let skip = self.cursor.map_or(from, |(_, line)| line).min(most);
        let cursor = self.cursor.map(|(column, line)| (column, line - skip));
        let lines = self.lines.into_iter().skip(skip).take(height);
        let lines = lines.map(|row| if let Row::Line(line) = row { line } else { Line::default() });
        (lines.collect(), cursor)
    }
}

/// A whole screen.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    /// What it is about.
    pub(crate) title: &'a str,
    /// The keys, the most important first.
    pub(crate) hints: &'a [Hint],
    /// Said instead of the keys.
    pub(crate) notice: Option<&'a str>,
    /// How far it was scrolled.
    pub(crate) from: usize,
}

impl Plain<'_> {
    /// Draws it, with what `fill` writes.
    pub(crate) fn draw<'s>(&self, frame: &mut Frame, area: Rect, fill: impl FnOnce(&mut Sheet<'s>)) {
        frame.render_widget(Clear, area);
        let area = boxed(frame, area);
        let keys = self.keys(usize::from(area.width));
        let body_height = area.height.saturating_sub(1 + keys.len().min(2) as u16);
        let tall = body_height > 11;
        let mut sheet = Sheet { width: usize::from(area.width), tall, lines: Vec::new(), cursor: None };
        sheet.room();
        fill(&mut sheet);
        let (body, cursor) = sheet.fitted(usize::from(body_height), self.from);
        let at = |row: u16| Rect { y: area.y + row, height: 1, ..area };
        if area.height == 0 {
            return;
        }
        frame.render_widget(Line::styled(self.title, STRONG), at(0));
        for (row, line) in (1..=body_height).zip(body) {
            frame.render_widget(line, at(row));
        }
        for (row, line) in (1 + body_height..area.height).zip(keys) {
            frame.render_widget(line, at(row));
        }
        if let Some((column, line)) = cursor.filter(|(_, line)| *line < usize::from(body_height)) {
            let column = u16::try_from(column).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
            frame.set_cursor_position((area.x + column, area.y + 1 + u16::try_from(line).unwrap_or(0)));
        }
    }

    fn keys(&self, width: usize) -> Vec<Line<'static>> {
        match self.notice {
            Some(notice) => wrap(notice, width).into_iter().map(|line| Line::styled(line, STRONG)).collect(),
            None => vec![hints(self.hints, width)],
        }
    }
}

/// As many of the hints as fit in a line.
fn hints(hints: &[Hint], width: usize) -> Line<'static> {
    let mut line = Line::default();
    for (key, does) in hints {
        let gap = if line.spans.is_empty() { "" } else { "   " };
        let long = line.width() + gap.len() + key.chars().count() + 1 + does.chars().count();
        if long > width {
            break;
        }
        line.spans.extend([Span::raw(gap), Span::styled(*key, STRONG), Span::raw(" "), Span::raw(*does)]);
    }
    line
}

/// A box in the middle where there is room, else all there is.
fn boxed(frame: &mut Frame, area: Rect) -> Rect {
    let (width, height) = BOX;
    if area.width < width + 2 || area.height < height {
        return area;
    }
    let middle = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height };
    let block = Block::bordered().border_type(BorderType::Rounded).title(" aside ").padding(Padding::symmetric(2, 1));
    let inner = block.inner(middle);
    frame.render_widget(block, middle);
    inner
}

/// Takes a picture at each of the three sizes, with the cursor's place below.
#[cfg(test)]
pub(crate) fn shoot(name: &str, draw: impl Fn(&mut Frame)) {
    use ratatui::{Terminal, backend::TestBackend};
    for (width, height) in [(40, 12), (80, 24), (200, 60)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
        terminal.draw(&draw).expect("drawn");
        let backend = terminal.backend();
        let place = backend.cursor_position();
        let cursor = if backend.cursor_visible() { format!("cursor at {place}") } else { "no cursor".to_owned() };
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), format!("{backend}{cursor}"));
    }
}

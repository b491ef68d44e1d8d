//! A screen as an SVG picture: the terminal's own colours, light or dark as the reader's page is.

mod lines;

use std::fmt::Write;
use vt100::{Cell, Color, Screen};

/// A cell's width and height, and where in it letters stand.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const BASELINE: f64 = 13.5;
/// Around the screen; above it there is room for a title.
const MARGIN: f64 = 12.0;
const TITLE: f64 = 30.0;

/// Colours 0 to 15, then background, foreground, frame and cursor, for a light page and a dark one.
const LIGHT: [&str; 20] = [
    "#24292f", "#b3261e", "#1a7f37", "#8a5a00", "#0550ae", "#8250df", "#0f6b74", "#6e7781", "#57606a", "#a40e26",
    "#116329", "#7a4e00", "#0969da", "#6639ba", "#0a5560", "#424a53", "#ffffff", "#1f2328", "#eaeef2", "#57606a",
];
const DARK: [&str; 20] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4", "#6e7681", "#ffa198",
    "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc", "#0d1117", "#e6edf3", "#21262d", "#8b949e",
];

/// What cells drawn in one go share.
#[derive(Debug, Clone, PartialEq)]
struct Style {
    fore: String,
    back: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

impl Style {
    fn of(cell: &Cell) -> Self {
        let (mut fore, mut back) = (colour(cell.fgcolor()), colour(cell.bgcolor()));
        if cell.inverse() {
            back = Some(fore.unwrap_or_else(|| "var(--fg)".to_owned()));
            fore = colour(cell.bgcolor()).or_else(|| Some("var(--bg)".to_owned()));
        }
        Self {
            fore: fore.unwrap_or_else(|| "var(--fg)".to_owned()),
            back,
            bold: cell.bold(),
            dim: cell.dim(),
            italic: cell.italic(),
            underline: cell.underline(),
        }
    }

    fn attributes(&self) -> String {
        let mut text = format!(" fill=\"{}\"", self.fore);
        for (wanted, attribute) in [
            (self.bold, " font-weight=\"bold\""),
            (self.italic, " font-style=\"italic\""),
            (self.underline, " text-decoration=\"underline\""),
            (self.dim, " opacity=\"0.65\""),
        ] {
            if wanted {
                text.push_str(attribute);
            }
        }
        text
    }
}

/// A colour; none is the terminal's own. The first 16 are the reader's terminal's, here: the page's.
fn colour(colour: Color) -> Option<String> {
    match colour {
        Color::Default => None,
        Color::Idx(index @ 0..=15) => Some(format!("var(--c{index})")),
        Color::Idx(index @ 16..=231) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            let cube = index - 16;
            Some(format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6)))
        }
        Color::Idx(index) => {
            let grey = 8 + 10 * (index - 232);
            Some(format!("#{grey:02x}{grey:02x}{grey:02x}"))
        }
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
    }
}

/// The screen in a window with a title.
pub fn svg(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let width = f64::from(columns.get()) * WIDTH + 2.0 * MARGIN;
    let height = f64::from(rows.get()) * HEIGHT + MARGIN + TITLE + MARGIN;
    let mut picture = head(width, height, title);
    for row in 0..rows.get() {
        draw_row(&mut picture, screen, row, columns.get());
    }
    draw_cursor(&mut picture, screen);
    picture.push_str("</g>\n</svg>\n");
    picture
}

fn head(width: f64, height: f64, title: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>\n:root {{ {} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n\
         text {{ font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre; }}\n</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"var(--bg)\" stroke=\"var(--frame)\"/>\n\
         <path d=\"M0 {TITLE}H{width:.0}\" stroke=\"var(--frame)\"/>\n\
         <text x=\"{:.1}\" y=\"20\" text-anchor=\"middle\" fill=\"var(--cursor)\">{title}</text>\n\
         <g transform=\"translate({MARGIN} {:.1})\">\n",
        variables(&LIGHT),
        variables(&DARK),
        width / 2.0,
        TITLE + MARGIN,
    )
}

fn variables(colours: &[&str; 20]) -> String {
    let names = (0..16).map(|i| format!("c{i}")).chain(["bg", "fg", "frame", "cursor"].map(str::to_owned));
    names.zip(colours).map(|(name, colour)| format!("--{name}: {colour};")).collect::<Vec<_>>().join(" ")
}

/// Cells that look alike, from a column on.
struct Run {
    column: u16,
    cells: u16,
    text: String,
    style: Style,
}

fn draw_row(picture: &mut String, screen: &Screen, row: u16, columns: u16) {
    let mut runs: Vec<Run> = Vec::new();
    let top = f64::from(row) * HEIGHT;
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let (style, cells) = (Style::of(cell), if cell.is_wide() { 2 } else { 1 });
        let line = cell.contents().chars().next().and_then(lines::of);
        let text = if line.is_some() || !cell.has_contents() { " " } else { cell.contents() };
        if let Some(line) = line {
            lines::draw(picture, line, f64::from(column) * WIDTH, top, &style.fore, style.dim);
        }
        match runs.last_mut() {
            // A character of two columns begins a run of its own: no font has it exactly that wide.
            Some(run) if run.style == style && cells == 1 && usize::from(run.cells) == run.text.chars().count() => {
                run.text.push_str(text);
                run.cells += 1;
            }
            _ => runs.push(Run { column, cells, text: text.to_owned(), style }),
        }
    }
    runs.iter().for_each(|run| draw_run(picture, run, top));
}

fn draw_run(picture: &mut String, run: &Run, top: f64) {
    let (left, width) = (f64::from(run.column) * WIDTH, f64::from(run.cells) * WIDTH);
    if let Some(back) = &run.style.back {
        let _ = writeln!(
            picture,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{HEIGHT:.1}\" fill=\"{back}\"/>"
        );
    }
    let text = run.text.trim_end();
    if text.is_empty() {
        return;
    }
    let blanks = run.text.chars().count() - text.chars().count();
    let _ = writeln!(
        picture,
        "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\"{}>{}</text>",
        top + BASELINE,
        width - blanks as f64 * WIDTH,
        run.style.attributes(),
        escaped(text)
    );
}

fn draw_cursor(picture: &mut String, screen: &Screen) {
    if screen.hide_cursor() {
        return;
    }
    let (row, column) = screen.cursor_position();
    let _ = writeln!(
        picture,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"2\" height=\"{HEIGHT:.1}\" fill=\"var(--cursor)\"/>",
        f64::from(column) * WIDTH,
        f64::from(row) * HEIGHT
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;

//! The terminal as ratatui writes to it, with two things added: links (OSC 8), and cursor moves behind whatever
//! terminals measure differently. Writes to the terminal, reads nothing from it but its size.

mod osc8;
mod shadow;
#[cfg(test)]
mod tests;

pub use osc8::supported;

use aside_tui::LinkSpan;
use aside_tui::text::uncertain;
use osc8::{Links, close, open};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use shadow::Shadow;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the view leaves the links of the frame it draws; cloned, so that it can be used while ratatui has the backend.
#[derive(Debug, Clone, Default)]
pub struct FrameLinks(Arc<Mutex<Vec<LinkSpan>>>);

impl FrameLinks {
    /// The links of the frame that is drawn now; they stay until they are set again.
    pub fn set(&self, spans: Vec<LinkSpan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = spans;
    }

    fn get(&self) -> Links {
        Links::new(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A crossterm backend that knows links and distrusts widths.
#[derive(Debug)]
pub struct Screen<W: Write> {
    inner: CrosstermBackend<W>,
    /// What the next frame's links are.
    wanted: FrameLinks,
    /// What is on the screen, links included; none if links are not written.
    shadow: Option<Shadow>,
    /// Where the cursor was last put.
    cursor: Position,
}

impl<W: Write> Screen<W> {
    /// Writes to `writer`, and links too if `links` says so (see [`supported`]).
    pub fn new(writer: W, links: bool) -> Self {
        let shadow = links.then(Shadow::default);
        Self { inner: CrosstermBackend::new(writer), wanted: FrameLinks::default(), shadow, cursor: Position::ORIGIN }
    }

    /// Where to leave a frame's links, inside `Terminal::draw`.
    pub fn links(&self) -> FrameLinks {
        self.wanted.clone()
    }

    /// Draws cells in runs: one ends with its link, behind a gap, and behind a cell that terminals may measure otherwise.
    /// Each run begins with a cursor move, so a terminal of another opinion misplaces one cell and not the rest.
    fn draw_runs(&mut self, cells: &[(u16, u16, &Cell)], links: &Links) -> io::Result<()> {
        let mut rest = cells;
        while let Some(&(x, y, _)) = rest.first() {
            let link = links.at(x, y);
            let (run, behind) = rest.split_at(run_length(rest, links));
            if let Some(url) = link {
                open(&mut self.inner, url)?;
            }
            self.inner.draw(run.iter().copied())?;
            if link.is_some() {
                close(&mut self.inner)?;
            }
            rest = behind;
        }
        Ok(())
    }

    fn draw_without_links(&mut self, cells: &[(u16, u16, &Cell)]) -> io::Result<()> {
        self.draw_runs(cells, &Links::default())
    }

    fn draw_with_links(&mut self, cells: &[(u16, u16, &Cell)], mut shadow: Shadow) -> io::Result<()> {
        let links = self.wanted.get();
        shadow.store(cells);
        // Also what only its link tells from what is there: ratatui does not know of links and would leave it.
        let changed = shadow.relink(links);
        let mut all: Vec<_> = cells.iter().map(|&(x, y, _)| (y, x)).chain(changed).collect();
        all.sort_unstable();
        all.dedup();
        let known: Vec<_> = all.into_iter().filter_map(|(y, x)| Some((x, y, shadow.get(x, y)?))).collect();
        let drawn = self.draw_runs(&known, shadow.links());
        self.shadow = Some(shadow);
        drawn
    }
}

/// How many of `cells` (at least one, if there are any) belong to the first one's run.
fn run_length(cells: &[(u16, u16, &Cell)], links: &Links) -> usize {
    let goes_on = |pair: &[(u16, u16, &Cell)]| match pair {
        [(x, y, cell), (next_x, next_y, _)] => {
            !uncertain(cell.symbol()) && links.at(*x, *y) == links.at(*next_x, *next_y)
        }
        _ => false,
    };
    cells.windows(2).take_while(|pair| goes_on(pair)).count() + usize::from(!cells.is_empty())
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let cells: Vec<_> = content.collect();
        match self.shadow.take() {
            Some(shadow) => self.draw_with_links(&cells, shadow),
            None => self.draw_without_links(&cells),
        }
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        self.inner.append_lines(n)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    /// Where it was last put. Asking the terminal would take the answer from whoever reads the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = position.into();
        self.inner.set_cursor_position(self.cursor)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        if let Some(shadow) = &mut self.shadow {
            // Forgetting more than was cleared costs nothing: what is unknown is never drawn from memory.
            *shadow = Shadow::default();
        }
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

impl<W: Write> Write for Screen<W> {
    /// For what ratatui has no word for: titles, focus reporting, synchronised output.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

//! Temporary.
use aside_tui::LinkSpan;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
pub struct LinkBackend<W: Write> {
    inner: CrosstermBackend<W>,
    links: Rc<RefCell<Vec<LinkSpan>>>,
}
impl<W: Write> LinkBackend<W> {
    pub fn new(w: W, _on: bool) -> Self {
        Self { inner: CrosstermBackend::new(w), links: Rc::default() }
    }
    pub fn links(&self) -> Rc<RefCell<Vec<LinkSpan>>> {
        self.links.clone()
    }
}
impl<W: Write> Write for LinkBackend<W> {
    fn write(&mut self, b: &[u8]) -> io::Result<usize> {
        self.inner.write(b)
    }
    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}
impl<W: Write> Backend for LinkBackend<W> {
    type Error = io::Error;
    fn draw<'a, I>(&mut self, c: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        self.inner.draw(c)
    }
    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }
    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, p: P) -> io::Result<()> {
        self.inner.set_cursor_position(p)
    }
    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }
    fn clear_region(&mut self, t: ClearType) -> io::Result<()> {
        self.inner.clear_region(t)
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

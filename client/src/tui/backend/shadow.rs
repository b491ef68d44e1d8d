//! What is on the screen: the cells and links last written. ratatui compares cells only, so a cell whose link alone
//! changes has to be drawn again from here.

use super::osc8::Links;
use ratatui::buffer::{Cell, CellWidth};

/// Cells by row and column. Those never drawn, and those that a wide neighbour covers, are none.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    rows: Vec<Vec<Option<Cell>>>,
    links: Links,
}

impl Shadow {
    pub(super) fn store(&mut self, cells: &[(u16, u16, &Cell)]) {
        for &(x, y, cell) in cells {
            self.put(x, y, Some(cell.clone()));
            for covered in 1..cell.symbol().cell_width() {
                self.put(x.saturating_add(covered), y, None);
            }
        }
    }

    fn put(&mut self, x: u16, y: u16, cell: Option<Cell>) {
        let (x, y) = (usize::from(x), usize::from(y));
        if self.rows.len() <= y {
            self.rows.resize_with(y + 1, Vec::new);
        }
        let Some(row) = self.rows.get_mut(y) else { return };
        if row.len() <= x {
            row.resize(x + 1, None);
        }
        if let Some(place) = row.get_mut(x) {
            *place = cell;
        }
    }

    pub(super) fn get(&self, x: u16, y: u16) -> Option<&Cell> {
        self.rows.get(usize::from(y))?.get(usize::from(x))?.as_ref()
    }

    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    /// Takes the new links, and gives the (row, column) of each cell that they change.
    pub(super) fn relink(&mut self, links: Links) -> Vec<(u16, u16)> {
        let changed = links.differing(&self.links).chain(self.links.differing(&links)).collect();
        self.links = links;
        changed
    }
}

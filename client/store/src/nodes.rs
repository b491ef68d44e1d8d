//! Where the relay's nodes are, as it told last (rules `NOD-1`, `NOD-2`). The invite's addresses stand in the profile.

use crate::{Result, Tx};
use aside_protocol::invite::is_address;
use aside_protocol::limits::MAX_OFFERS;
use rusqlite::params;

impl Tx<'_> {
    /// What was told last, in the order in which it is to be tried.
    pub fn nodes(&self) -> Result<Vec<String>> {
        self.all("SELECT address FROM nodes ORDER BY place", [], |row| Ok(row.get(0)?))
    }

    /// Remembers what is told now in place of that, as far as it is of any use.
    pub fn learn_nodes(&self, told: &[String]) -> Result<()> {
        let mut nodes: Vec<&String> = Vec::new();
        for address in told.iter().take(MAX_OFFERS).filter(|address| is_address(address)) {
            if !nodes.contains(&address) {
                nodes.push(address);
            }
        }
        if self.nodes()?.iter().eq(nodes.iter().copied()) {
            return Ok(());
        }
        self.run("DELETE FROM nodes", [])?;
        nodes.iter().zip(0_u32..).try_for_each(|(address, place)| {
            self.run("INSERT INTO nodes (place, address) VALUES (?, ?)", params![place, address]).map(drop)
        })
    }
}

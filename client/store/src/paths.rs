//! Which transport reached the relay from which network (rule `QUI-6`). A hint, kept for a day, bounded.

use crate::rows::id;
use crate::{Result, StoreError, Tx};
use aside_protocol::{Hash, Millis};
use rusqlite::params;

/// How long a hint is good, in milliseconds: networks change their mind, and the better transport should get its chance.
const GOOD_MS: u64 = 24 * 3600 * 1000;
/// Most networks remembered; the ones learned longest ago go first.
const MOST: u32 = 64;

/// What carries frames. The numbers are those in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PathKind {
    /// QUIC.
    Quic = 0,
    /// A WebSocket.
    WebSocket = 1,
}

impl Tx<'_> {
    /// What is remembered and still good. A time of learning that lies ahead, by a clock that was wrong, is not.
    pub fn paths(&self, now: Millis) -> Result<Vec<(Hash, PathKind)>> {
        let oldest = now.0.saturating_sub(GOOD_MS);
        self.all("SELECT * FROM paths WHERE learned > ? AND learned <= ?", params![oldest, now.0], |row| {
            let kind = match row.get("transport")? {
                0 => PathKind::Quic,
                1 => PathKind::WebSocket,
                _ => return Err(StoreError::Row("transport")),
            };
            Ok((id(row, "network", Hash::from_slice)?, kind))
        })
    }

    /// Remembers what worked in a network, and forgets what is too old or too much.
    pub fn learn_path(&self, network: &Hash, kind: PathKind, now: Millis) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO paths (network, transport, learned) VALUES (?, ?, ?)",
            params![network.as_ref(), kind as u8, now.0],
        )?;
        self.run("DELETE FROM paths WHERE learned <= ?", params![now.0.saturating_sub(GOOD_MS)])?;
        self.run(
            "DELETE FROM paths WHERE network NOT IN (SELECT network FROM paths ORDER BY learned DESC LIMIT ?)",
            params![MOST],
        )
        .map(drop)
    }
}

#[cfg(test)]
mod tests;

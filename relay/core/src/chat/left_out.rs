//! Devices that were routed in an incarnation and that the founding of the next one left out: they may found the one
//! after that (rule `CHT-7`), lest a single device take a group from everybody.

use crate::outcome::Routes;
use crate::step::Step;
use aside_protocol::DeviceId;

/// Whether a device is one of them.
pub(super) fn has(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<bool> {
    step.db.prepare_cached("SELECT 1 FROM left_out WHERE chat = ? AND device = ?")?.exists([chat, device])
}

/// Makes it one of them, or not.
pub(super) fn set(step: &Step<'_>, chat: i64, device: i64, left_out: bool) -> rusqlite::Result<()> {
    let change = if left_out {
        "INSERT OR IGNORE INTO left_out (chat, device) VALUES (?, ?)"
    } else {
        "DELETE FROM left_out WHERE chat = ? AND device = ?"
    };
    step.db.prepare_cached(change)?.execute([chat, device])?;
    Ok(())
}

/// A founding leaves out those of `before` that are not among its devices.
pub(super) fn founded(
    step: &Step<'_>,
    chat: i64,
    before: &Routes,
    devices: &[(i64, DeviceId)],
) -> rusqlite::Result<()> {
    let inside: std::collections::BTreeSet<i64> = devices.iter().map(|(id, _)| *id).collect();
    step.db.prepare_cached("DELETE FROM left_out WHERE chat = ?")?.execute([chat])?;
    before.iter().filter(|(id, _)| !inside.contains(id)).try_for_each(|(id, _)| set(step, chat, *id, true))
}

//! Moving a device's cursor, and letting go of what was addressed to it alone.

use crate::error::Stop;
use crate::sql::int;
use crate::step::Step;
use aside_protocol::request::{Answer, Done};
use aside_protocol::{DeviceId, Pos};

/// Moves the cursor forward, never back and never past the head. An unknown device is ignored.
pub(crate) fn ack(step: &mut Step<'_>, device: &DeviceId, pos: Pos) -> Result<Answer, Stop> {
    let pos = pos.min(step.head);
    if let Some(row) = step.device(device)? {
        step.db
            .prepare_cached("UPDATE devices SET acked = ?1 WHERE id = ?2 AND acked < ?1")?
            .execute([int(pos.0), row.id])?;
        drop_addressed(step, row.id, pos)?;
    }
    Ok(Answer::Done(Done::default()))
}

/// Drops what was addressed to a device up to a position; a body goes with its last addressee.
pub(crate) fn drop_addressed(step: &Step<'_>, device: i64, upto: Pos) -> rusqlite::Result<()> {
    let gone: Vec<i64> = step
        .db
        .prepare_cached("SELECT pos FROM addressees WHERE device = ? AND pos <= ? ORDER BY pos")?
        .query_map([device, int(upto.0)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if gone.is_empty() {
        return Ok(());
    }
    step.db.prepare_cached("DELETE FROM addressees WHERE device = ? AND pos <= ?")?.execute([device, int(upto.0)])?;
    for pos in gone {
        step.db.prepare_cached("UPDATE addressed SET waiting = waiting - 1 WHERE pos = ?")?.execute([pos])?;
        step.db.prepare_cached("DELETE FROM addressed WHERE pos = ? AND waiting <= 0")?.execute([pos])?;
    }
    Ok(())
}

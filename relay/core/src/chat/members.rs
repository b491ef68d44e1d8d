//! Which devices a chat is routed to, and the intervals of positions each is meant to have.
//!
//! Whoever opens or closes intervals says with [`set_routes`] or [`count_routes`] who is routed then.

use super::ChatRow;
use crate::outcome::Routes;
use crate::sql::int;
use crate::step::Step;
use aside_protocol::{DeviceId, Pos};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// The devices routed now, by inner id.
pub(super) fn routes(step: &mut Step<'_>, chat: &ChatRow) -> rusqlite::Result<Routes> {
    if let Some(routes) = step.cache.routes(chat.id) {
        return Ok(routes);
    }
    let routes: Vec<(i64, DeviceId)> = step
        .db
        .prepare_cached(
            "SELECT i.device, d.device FROM intervals i JOIN devices d ON d.id = i.device
             WHERE i.chat = ? AND i.stop IS NULL ORDER BY i.device",
        )?
        .query_map([chat.id], |row| Ok((row.get(0)?, DeviceId(row.get(1)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let routes: Routes = Arc::new(routes);
    step.cache.keep_routes(chat.id, routes.clone());
    Ok(routes)
}

/// Whether a device is among them.
pub(super) fn is_routed(routes: &Routes, device: i64) -> bool {
    routes.binary_search_by_key(&device, |(id, _)| *id).is_ok()
}

/// Notes who is routed after intervals were opened and closed.
pub(super) fn set_routes(step: &mut Step<'_>, chat: i64, mut routes: Vec<(i64, DeviceId)>) -> rusqlite::Result<()> {
    routes.sort_unstable_by_key(|(id, _)| *id);
    step.db
        .prepare_cached("UPDATE chats SET routed = ? WHERE id = ?")?
        .execute([i64::try_from(routes.len()).unwrap_or(i64::MAX), chat])?;
    step.cache.keep_routes(chat, Arc::new(routes));
    Ok(())
}

/// Counts anew who is routed.
pub(super) fn count_routes(step: &mut Step<'_>, chat: i64) -> rusqlite::Result<()> {
    step.cache.forget_routes(chat);
    step.db
        .prepare_cached(
            "UPDATE chats SET routed = (SELECT count(*) FROM intervals WHERE chat = ?1 AND stop IS NULL) WHERE id = ?1",
        )?
        .execute([chat])?;
    Ok(())
}

/// Begins an interval after `start`.
pub(super) fn open(step: &Step<'_>, chat: i64, device: i64, start: Pos) -> rusqlite::Result<()> {
    step.db
        .prepare_cached("INSERT OR REPLACE INTO intervals (chat, device, start, stop) VALUES (?, ?, ?, NULL)")?
        .execute([chat, device, int(start.0)])?;
    Ok(())
}

/// Ends a device's interval at `stop`, included; an empty one goes away.
pub(super) fn close(step: &Step<'_>, chat: i64, device: i64, stop: Pos) -> rusqlite::Result<()> {
    let values = [chat, device, int(stop.0)];
    step.db
        .prepare_cached("DELETE FROM intervals WHERE chat = ? AND device = ? AND stop IS NULL AND start >= ?")?
        .execute(values)?;
    step.db
        .prepare_cached("UPDATE intervals SET stop = ?3 WHERE chat = ?1 AND device = ?2 AND stop IS NULL")?
        .execute(values)?;
    Ok(())
}

/// Where the standing interval of a routed device starts.
pub(super) fn start_of(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<Option<i64>> {
    step.db
        .prepare_cached("SELECT start FROM intervals WHERE chat = ? AND device = ? AND stop IS NULL")?
        .query_row([chat, device], |row| row.get(0))
        .optional()
}

/// Leaves a founder only its founding of the standing interval that began with it.
pub(super) fn close_at_first(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<()> {
    step.db
        .prepare_cached("UPDATE intervals SET stop = start + 1 WHERE chat = ? AND device = ? AND stop IS NULL")?
        .execute([chat, device])?;
    Ok(())
}

/// Takes a device's standing interval away as if it had never begun.
pub(super) fn cancel(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<()> {
    step.db
        .prepare_cached("DELETE FROM intervals WHERE chat = ? AND device = ? AND stop IS NULL")?
        .execute(params![chat, device])?;
    Ok(())
}

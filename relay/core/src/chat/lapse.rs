//! Memberships that ended because the device was removed from its account, not by a commit (rule `CHT-10`).
//!
//! Nothing is routed to such a device or kept for it. That it was in the chat is remembered: the members' commit that
//! removes it is still to come, and its account may come back by another device (rules `CHT-8`, `CHT-9`).

use super::members;
use crate::step::Step;
use aside_protocol::Pos;
use std::collections::BTreeSet;

/// Ends a removed device's memberships at the present head.
pub(crate) fn lapse(step: &mut Step<'_>, device: i64) -> rusqlite::Result<()> {
    let chats: Vec<i64> = step
        .db
        .prepare_cached("SELECT DISTINCT chat FROM intervals WHERE device = ? AND stop IS NULL ORDER BY chat")?
        .query_map([device], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for chat in chats {
        members::close(step, chat, device, step.head)?;
        remember(step, chat, device)?;
        step.cache.forget_routes(chat);
        step.db.prepare_cached("UPDATE chats SET routed = routed - 1 WHERE id = ?")?.execute([chat])?;
    }
    Ok(())
}

/// Notes that a device's membership lapsed.
pub(super) fn remember(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<()> {
    step.db.prepare_cached("INSERT OR IGNORE INTO lapsed (chat, device) VALUES (?, ?)")?.execute([chat, device])?;
    Ok(())
}

/// Whether a device's membership had lapsed.
pub(super) fn has(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<bool> {
    step.db.prepare_cached("SELECT 1 FROM lapsed WHERE chat = ? AND device = ?")?.exists([chat, device])
}

/// The device is routed again, or never was.
pub(super) fn forget(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<()> {
    step.db.prepare_cached("DELETE FROM lapsed WHERE chat = ? AND device = ?")?.execute([chat, device])?;
    Ok(())
}

/// Another founding: who is in it was decided anew.
pub(super) fn forget_all(step: &Step<'_>, chat: i64) -> rusqlite::Result<()> {
    step.db.prepare_cached("DELETE FROM lapsed WHERE chat = ?")?.execute([chat])?;
    Ok(())
}

/// A commit removed devices of these accounts. One that has none left there has left, and its lapsed ones with it.
pub(super) fn leave(step: &Step<'_>, chat: i64, accounts: &BTreeSet<i64>) -> rusqlite::Result<()> {
    if !step.db.prepare_cached("SELECT 1 FROM lapsed WHERE chat = ?")?.exists([chat])? {
        return Ok(());
    }
    let mut delete = step
        .db
        .prepare_cached("DELETE FROM lapsed WHERE chat = ? AND device IN (SELECT id FROM devices WHERE account = ?)")?;
    for account in accounts {
        if !is_routed(step, chat, *account)? {
            delete.execute([chat, *account])?;
        }
    }
    Ok(())
}

/// Whether any device of an account is in a chat, or was when it was removed from the account.
pub(super) fn is_in(step: &Step<'_>, chat: i64, account: i64) -> rusqlite::Result<bool> {
    let lapsed = "SELECT 1 FROM devices d CROSS JOIN lapsed l ON l.device = d.id WHERE l.chat = ? AND d.account = ?";
    Ok(is_routed(step, chat, account)? || step.db.prepare_cached(lapsed)?.exists([chat, account])?)
}

/// `CROSS JOIN` keeps the order of the tables: an account has few devices, a chat may have many.
fn is_routed(step: &Step<'_>, chat: i64, account: i64) -> rusqlite::Result<bool> {
    step.db
        .prepare_cached(
            "SELECT 1 FROM devices d CROSS JOIN intervals i ON i.device = d.id
             WHERE d.account = ?2 AND i.chat = ?1 AND i.stop IS NULL",
        )?
        .exists([chat, account])
}

/// Undoes a device's removal; one that was removed from its account meanwhile has lapsed instead.
pub(super) fn restore(step: &Step<'_>, chat: i64, device: i64, start: Pos) -> rusqlite::Result<()> {
    let revoked: bool =
        step.db.prepare_cached("SELECT revoked FROM devices WHERE id = ?")?.query_row([device], |row| row.get(0))?;
    if revoked { remember(step, chat, device) } else { members::open(step, chat, device, start) }
}

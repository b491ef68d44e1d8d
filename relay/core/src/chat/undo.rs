//! What it takes to undo a chat's last commits and foundings, as long as one account made them all (rule `CHT-6`).
//!
//! Each of them that changed the routing is a step, with a row for each device it touched. Another account's commit puts an
//! end to it: whoever makes one has seen those before.

use super::dedup::Saved;
use super::{ChatRow, dedup, lapse, left_out, members};
use crate::error::Stop;
use crate::sql::{hash, int, millis, seq, uint};
use crate::step::Step;
use aside_protocol::limits::RETENTION_MS;
use aside_protocol::{Hash, Millis, Pos, Seq};
use rusqlite::{OptionalExtension, params};

/// The commits and foundings that can be undone: those of one account, one after the other, up to the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// `seq` of the first of them; behind the chat's base if there is none.
    pub(super) from: Seq,
    /// Who made them; `None` if nobody goes on with it.
    pub(super) account: Option<i64>,
}

impl Run {
    /// Before a chat's first founding.
    pub(super) const NONE: Self = Self { from: Seq(1), account: None };
}

/// Which founding stands: its incarnation, who made it, and the answer it got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) incarnation: u64,
    pub(super) founder: i64,
    pub(super) founding: (Seq, Millis, Hash),
}

/// What a step did to one device.
struct Undone {
    device: i64,
    /// Whether it began anew: its counters, and whether it had lapsed or was left out, are those before.
    added: bool,
    /// Where its interval before started, if it was routed.
    start: Option<i64>,
    saved: Saved,
    lapsed: bool,
    left_out: bool,
}

/// A commit or founding at the chat's base by an account: goes on with its run, or begins another.
pub(super) fn extend(step: &Step<'_>, chat: &mut ChatRow, account: i64) -> rusqlite::Result<()> {
    if chat.run.account == Some(account) {
        return forget_old(step, chat);
    }
    chat.run = Run { from: chat.base, account: Some(account) };
    forget(step, chat.id, chat.base)
}

/// The chat's base, and what came before it, cannot be undone.
pub(super) fn end(step: &Step<'_>, chat: &mut ChatRow) -> rusqlite::Result<()> {
    chat.run = Run { from: chat.base.next(), account: None };
    forget(step, chat.id, chat.base)
}

/// Steps whose envelopes retention takes are past undoing, lest an account that is alone to commit piles them up.
fn forget_old(step: &Step<'_>, chat: &mut ChatRow) -> rusqlite::Result<()> {
    let old = int(step.now.0.saturating_sub(RETENTION_MS));
    let last = step
        .db
        .prepare_cached(
            "SELECT seq FROM (SELECT seq, time FROM undo_steps WHERE chat = ? ORDER BY seq LIMIT 64)
             WHERE time < ? ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([chat.id, old], |row| seq(row, 0))
        .optional()?;
    let Some(last) = last else {
        return Ok(());
    };
    chat.run.from = last.next();
    forget(step, chat.id, last)
}

/// Forgets the steps up to one.
fn forget(step: &Step<'_>, chat: i64, last: Seq) -> rusqlite::Result<()> {
    for delete in ["DELETE FROM undo WHERE chat = ? AND seq <= ?", "DELETE FROM undo_steps WHERE chat = ? AND seq <= ?"]
    {
        step.db.prepare_cached(delete)?.execute([chat, int(last.0)])?;
    }
    Ok(())
}

/// Begins the step of a commit that changes the routing, or of a founding with what stood before.
pub(super) fn begin(step: &Step<'_>, chat: &ChatRow, before: Option<&Standing>) -> rusqlite::Result<()> {
    step.db.prepare_cached("INSERT INTO undo_steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        chat.id,
        int(chat.base.0),
        int(step.now.0),
        before.map(|standing| int(standing.incarnation)),
        before.map(|standing| standing.founder),
        before.map(|standing| int(standing.founding.0.0)),
        before.map(|standing| int(standing.founding.1.0)),
        before.map(|standing| standing.founding.2.0)
    ])?;
    Ok(())
}

/// A routed device is about to be removed.
pub(super) fn removing(step: &Step<'_>, chat: &ChatRow, device: i64) -> rusqlite::Result<()> {
    let start = members::start_of(step, chat.id, device)?;
    step.db
        .prepare_cached("INSERT INTO undo (chat, seq, device, added, start) VALUES (?, ?, ?, 0, ?)")?
        .execute(params![chat.id, int(chat.base.0), device, start])?;
    Ok(())
}

/// A device, removed before if it was routed, is about to begin anew.
pub(super) fn renewing(step: &mut Step<'_>, chat: &ChatRow, device: i64) -> Result<(), Stop> {
    let (n, answers) = dedup::save(step, chat.id, device)?;
    let lapsed = lapse::has(step, chat.id, device)?;
    let left_out = left_out::has(step, chat.id, device)?;
    step.db
        .prepare_cached(
            "INSERT INTO undo (chat, seq, device, added, n, answers, lapsed, left_out) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7)
             ON CONFLICT (chat, device, seq) DO UPDATE SET added = 1, n = ?4, answers = ?5, lapsed = ?6, left_out = ?7",
        )?
        .execute(params![chat.id, int(chat.base.0), device, n, answers, lapsed, left_out])?;
    Ok(())
}

/// Everybody of whom a chat holds anything, besides those that are routed.
pub(super) fn remembered(step: &Step<'_>, chat: i64) -> rusqlite::Result<Vec<i64>> {
    step.db
        .prepare_cached(
            "SELECT device FROM senders WHERE chat = ?1 UNION SELECT device FROM lapsed WHERE chat = ?1
             UNION SELECT device FROM left_out WHERE chat = ?1",
        )?
        .query_map([chat], |row| row.get(0))?
        .collect()
}

/// Whether a device was routed before the steps from `from` on: the first of them that touched it knows.
pub(super) fn was_routed(step: &Step<'_>, chat: i64, device: i64, from: Seq) -> rusqlite::Result<Option<bool>> {
    step.db
        .prepare_cached(
            "SELECT start IS NOT NULL FROM undo WHERE chat = ? AND device = ? AND seq >= ? ORDER BY seq LIMIT 1",
        )?
        .query_row([chat, device, int(from.0)], |row| row.get(0))
        .optional()
}

/// Undoes the steps from `from` on, the newest first. Says whether there were any.
pub(super) fn undo(step: &mut Step<'_>, chat: &mut ChatRow, from: Seq) -> Result<bool, Stop> {
    let steps: Vec<(Seq, Option<Standing>)> = step
        .db
        .prepare_cached(
            "SELECT seq, incarnation, founder, founding_seq, founding_time, founding_hash FROM undo_steps
             WHERE chat = ? AND seq >= ? ORDER BY seq DESC",
        )?
        .query_map([chat.id, int(from.0)], |row| Ok((seq(row, 0)?, standing(row)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (at, before) in &steps {
        let founder = before.map(|_| chat.standing().founder);
        for row in load(step, chat.id, *at)? {
            restore(step, chat.id, row, founder)?;
        }
        if let Some(before) = before {
            chat.set_standing(step, before)?;
        }
    }
    if steps.is_empty() {
        return Ok(false);
    }
    members::count_routes(step, chat.id)?;
    for delete in ["DELETE FROM undo WHERE chat = ? AND seq >= ?", "DELETE FROM undo_steps WHERE chat = ? AND seq >= ?"]
    {
        step.db.prepare_cached(delete)?.execute([chat.id, int(from.0)])?;
    }
    Ok(true)
}

fn standing(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Standing>> {
    let Some(incarnation) = row.get::<_, Option<i64>>(1)? else {
        return Ok(None);
    };
    let founding = (seq(row, 3)?, millis(row, 4)?, hash(row, 5)?);
    Ok(Some(Standing { incarnation: uint(incarnation), founder: row.get(2)?, founding }))
}

/// Puts one device back where it was before a step; a founding's with the device that made it.
fn restore(step: &mut Step<'_>, chat: i64, row: Undone, founder: Option<i64>) -> Result<(), Stop> {
    if row.added {
        if founder == Some(row.device) && row.start.is_none() {
            members::close_at_first(step, chat, row.device)?;
        }
        members::cancel(step, chat, row.device)?;
        lapse::forget(step, chat, row.device)?;
        left_out::set(step, chat, row.device, row.left_out)?;
        dedup::restore(step, chat, row.device, row.saved)?;
    }
    if let Some(start) = row.start {
        lapse::restore(step, chat, row.device, Pos(uint(start)))?;
    }
    if row.lapsed {
        lapse::remember(step, chat, row.device)?;
    }
    Ok(())
}

fn load(step: &Step<'_>, chat: i64, at: Seq) -> rusqlite::Result<Vec<Undone>> {
    step.db
        .prepare_cached(
            "SELECT device, added, start, n, answers, lapsed, left_out FROM undo WHERE chat = ? AND seq = ? ORDER BY device",
        )?
        .query_map([chat, int(at.0)], |row| {
            let saved = (row.get(3)?, row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default());
            let (device, added, start) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Undone { device, added, start, saved, lapsed: row.get(5)?, left_out: row.get(6)? })
        })?
        .collect()
}

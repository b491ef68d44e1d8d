//! Retention (rule `WIN-5`): what is older than 30 days goes, and what every device that may still fetch it has
//! acknowledged.
//!
//! Each command looks at a bounded number of rows; `sweep` remembers the chat where the next one goes on.

use crate::blob;
use crate::chat::keep_answers;
use crate::error::Stop;
use crate::sql::{int, pos, seq, uint};
use crate::step::Step;
use aside_protocol::limits::RETENTION_MS;
use aside_protocol::request::{Answer, Done};
use aside_protocol::{Pos, Seq};
use rusqlite::OptionalExtension;
use std::collections::BTreeMap;

/// Records of key package fetches serve retries only; in milliseconds.
const FETCH_RECORDS_MS: u64 = 24 * 3_600_000;

/// Deletes some of what nobody needs; sets `more` when there may be more.
pub(crate) fn retain(step: &mut Step<'_>, limit: u32) -> Result<Answer, Stop> {
    // What it changes of chats is read again.
    step.cache.forget_chats();
    let limit = u64::from(limit.max(1));
    let old = step.now.0.saturating_sub(RETENTION_MS);
    let aged = [
        log_by_age(step, old, limit)?,
        addressed_by_age(step, old, limit)?,
        receipts_by_age(step, old, limit)?,
        records_by_age(step, old, limit)?,
        blob::by_age(step, limit)?,
    ];
    let unfinished = sweep(step, limit)?;
    step.more = unfinished || aged.contains(&true);
    Ok(Answer::Done(Done::default()))
}

/// Time never decreases with `pos`, so what is too old is a prefix of the log.
fn log_by_age(step: &Step<'_>, old: u64, limit: u64) -> Result<bool, Stop> {
    let rows: Vec<(Pos, i64, Seq)> = step
        .db
        .prepare_cached(
            "SELECT pos, chat, seq FROM (SELECT pos, chat, seq, time FROM log ORDER BY pos LIMIT ?) WHERE time < ?",
        )?
        .query_map([int(limit), int(old)], |row| Ok((pos(row, 0)?, row.get(1)?, seq(row, 2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let Some((last, ..)) = rows.last() else {
        return Ok(false);
    };
    for (_, chat, gone) in &rows {
        step.db
            .prepare_cached("UPDATE chats SET first = ?1 + 1, held = ?1 < last WHERE id = ?2 AND first <= ?1")?
            .execute([int(gone.0), *chat])?;
    }
    let lasts: BTreeMap<i64, Seq> = rows.iter().map(|(_, chat, seq)| (*chat, *seq)).collect();
    lasts.into_iter().try_for_each(|(chat, seq)| keep_answers(step, chat, seq))?;
    step.db.prepare_cached("DELETE FROM log WHERE pos <= ?")?.execute([int(last.0)])?;
    Ok(rows.len() as u64 == limit)
}

fn addressed_by_age(step: &Step<'_>, old: u64, limit: u64) -> Result<bool, Stop> {
    let last = old_prefix(step, "addressed", old, limit)?;
    let Some((last, count)) = last else {
        return Ok(false);
    };
    step.db.prepare_cached("DELETE FROM addressees WHERE pos <= ?")?.execute([last])?;
    step.db.prepare_cached("DELETE FROM addressed WHERE pos <= ?")?.execute([last])?;
    Ok(count == limit)
}

/// Receipts older than their keys are kept say nothing any more.
fn receipts_by_age(step: &Step<'_>, old: u64, limit: u64) -> Result<bool, Stop> {
    let Some((last, count)) = old_prefix(step, "receipts", old, limit)? else {
        return Ok(false);
    };
    step.db.prepare_cached("DELETE FROM receipts WHERE pos <= ?")?.execute([last])?;
    Ok(count == limit)
}

/// The last position, and the number, of at most `limit` rows at a table's beginning that are too old.
fn old_prefix(step: &Step<'_>, table: &str, old: u64, limit: u64) -> rusqlite::Result<Option<(i64, u64)>> {
    let query =
        format!("SELECT max(pos), count(*) FROM (SELECT pos, time FROM {table} ORDER BY pos LIMIT ?) WHERE time < ?");
    let found: (Option<i64>, i64) =
        step.db.prepare_cached(&query)?.query_row([int(limit), int(old)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.0.map(|last| (last, uint(found.1))))
}

/// Expired invites (kept a while, so that people learn that they expired), marks of packages given out, fetches.
fn records_by_age(step: &Step<'_>, old: u64, limit: u64) -> Result<bool, Stop> {
    let fetched = step.now.0.saturating_sub(FETCH_RECORDS_MS);
    let deletes = [
        (
            "DELETE FROM invites WHERE hash IN (SELECT hash FROM invites WHERE expires < ? ORDER BY expires LIMIT ?)",
            old,
        ),
        (
            "DELETE FROM key_packages WHERE id IN (SELECT id FROM key_packages WHERE given < ? ORDER BY given LIMIT ?)",
            old,
        ),
        (
            "DELETE FROM fetches WHERE rowid IN (SELECT rowid FROM fetches WHERE time < ? ORDER BY time LIMIT ?)",
            fetched,
        ),
        (
            "DELETE FROM rates WHERE (what, who, chat) IN
                 (SELECT what, who, chat FROM rates WHERE since < ? ORDER BY since LIMIT ?)",
            fetched,
        ),
    ];
    // Numbers of nodes that have not been heard of for so long come from nobody any more.
    let deletes = deletes.into_iter().chain([(
        "DELETE FROM origins WHERE origin IN (SELECT origin FROM origins WHERE time < ? ORDER BY time LIMIT ?)",
        fetched,
    )]);
    let mut more = false;
    for (delete, before) in deletes {
        let gone = step.db.prepare_cached(delete)?.execute([int(before), int(limit)])?;
        more |= gone as u64 == limit;
    }
    Ok(more)
}

/// Looks at the next chats that hold something. Says whether it stopped before the last chat.
fn sweep(step: &Step<'_>, limit: u64) -> Result<bool, Stop> {
    let after: i64 = step.db.prepare_cached("SELECT sweep FROM relay")?.query_row([], |row| row.get(0))?;
    let chats: Vec<i64> = step
        .db
        .prepare_cached("SELECT id FROM chats WHERE held = 1 AND id > ? ORDER BY id LIMIT ?")?
        .query_map([after, int(limit)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let (mut budget, mut at) = (limit, 0);
    for chat in &chats {
        let gone = acknowledged(step, *chat, budget)?;
        if gone == budget {
            // There may be more in this chat: the next sweep begins with it.
            (budget, at) = (0, chat - 1);
            break;
        }
        at = *chat;
        budget -= gone + 1;
        if budget == 0 {
            break;
        }
    }
    let unfinished = budget == 0 || chats.len() as u64 == limit;
    let next = if unfinished { at } else { 0 };
    step.db.prepare_cached("UPDATE relay SET sweep = ? WHERE sweep <> ?1")?.execute([next])?;
    Ok(unfinished)
}

/// Drops at most `limit` rows at a chat's beginning that every device meant to have them has acknowledged.
fn acknowledged(step: &Step<'_>, chat: i64, limit: u64) -> Result<u64, Stop> {
    let lowest = lowest_needed(step, chat)?;
    let rows: Vec<(i64, i64)> = step
        .db
        .prepare_cached("SELECT pos, seq FROM log WHERE chat = ? ORDER BY seq LIMIT ?")?
        .query_map([chat, int(limit)], |row| Ok((row.get(0)?, row.get(1)?)))?
        .take_while(|row| row.as_ref().map_or(true, |(pos, _)| lowest.is_none_or(|lowest| *pos <= lowest)))
        .collect::<rusqlite::Result<_>>()?;
    let Some((pos, seq)) = rows.last() else {
        return Ok(0);
    };
    keep_answers(step, chat, Seq(uint(*seq)))?;
    step.db.prepare_cached("DELETE FROM log WHERE chat = ? AND seq <= ?")?.execute([chat, *seq])?;
    step.db.prepare_cached("UPDATE chats SET first = ?1 + 1, held = ?1 < last WHERE id = ?2")?.execute([*seq, chat])?;
    step.db
        .prepare_cached("DELETE FROM intervals WHERE chat = ? AND stop IS NOT NULL AND stop <= ?")?
        .execute([chat, *pos])?;
    Ok(rows.len() as u64)
}

/// The position up to which every device has acknowledged what it is meant to have; `None` when nobody needs any.
///
/// A device that has acknowledged its whole interval, or was removed from its account, needs nothing of it.
fn lowest_needed(step: &Step<'_>, chat: i64) -> rusqlite::Result<Option<i64>> {
    step.db
        .prepare_cached(
            "SELECT min(max(d.acked, i.start)) FROM intervals i JOIN devices d ON d.id = i.device
             WHERE i.chat = ? AND d.revoked = 0 AND (i.stop IS NULL OR d.acked < i.stop)",
        )?
        .query_row([chat], |row| row.get(0))
        .optional()
        .map(Option::flatten)
}

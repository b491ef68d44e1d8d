//! Blobs: who reserved which, which are complete, and which objects are to go (rules `BLB-2`, `BLB-5`, `BLB-6`).
//!
//! The bytes lie outside. A reservation is an account's leave to upload, and what its quota pays for. A blob's row says
//! that its object is in the store, or may be: it is marked as dropped before the object is deleted and goes after
//! that, so that no crash in between leaves an object that nobody knows of.

use crate::By;
use crate::command::BlobLimits;
use crate::error::Stop;
use crate::sql::{hash, int, uint};
use crate::step::{Step, invalid};
use aside_protocol::limits::{BLOB_LEAST, BLOB_RETENTION_MS, BLOB_UNFINISHED_MS, MAX_BIG_HANDSHAKE, MAX_HANDSHAKE};
use aside_protocol::refusal::{Plain, TooLarge};
use aside_protocol::request::{Answer, BlobRef, Done, Uploading};
use aside_protocol::{Body, Hash, Refusal};
use rusqlite::{OptionalExtension, params};

/// Reserves room for a blob, or renews what the account reserved before. The answer's offset is the size if the blob is
/// complete, else 0; the token and what has arrived meanwhile are for the host to say.
pub(crate) fn reserve(step: &mut Step<'_>, by: &By, blob: &BlobRef, limits: &BlobLimits) -> Result<Answer, Stop> {
    let account = step.asker(by)?.account;
    if blob.size == 0 {
        return Err(invalid());
    }
    if blob.size > limits.most {
        return Err(too_large(limits.most));
    }
    let complete = complete_size(step, &blob.id)?;
    if complete.is_some_and(|size| size != blob.size) {
        return Err(invalid());
    }
    match reserved_size(step, account, &blob.id)? {
        Some(size) if size != blob.size => return Err(invalid()),
        Some(_) => {}
        None => pay(step, account, blob, limits.quota)?,
    }
    let time = complete.is_none().then(|| int(step.now.0));
    step.db
        .prepare_cached("INSERT OR REPLACE INTO blob_reservations (account, hash, size, time) VALUES (?, ?, ?, ?)")?
        .execute(params![account, blob.id.0, int(blob.size), time])?;
    if complete.is_some() {
        renew(step, &blob.id)?;
    }
    Ok(Answer::Uploading(Uploading { token: Body::from(Vec::new()), offset: complete.unwrap_or(0) }))
}

/// The object of a blob is in the store, whole and verified.
pub(crate) fn complete(step: &Step<'_>, blob: &BlobRef) -> Result<Answer, Stop> {
    step.db
        .prepare_cached("INSERT OR REPLACE INTO blobs (hash, size, time, dropped) VALUES (?, ?, ?, 0)")?
        .execute(params![blob.id.0, int(blob.size), int(step.now.0)])?;
    step.db
        .prepare_cached("UPDATE blob_reservations SET time = NULL WHERE hash = ? AND size = ?")?
        .execute(params![blob.id.0, int(blob.size)])?;
    Ok(Answer::Done(Done { pos: None, hash: Some(blob.id) }))
}

/// Nothing of a dropped blob is in the store any more.
pub(crate) fn gone(step: &Step<'_>, id: &Hash) -> Result<Answer, Stop> {
    step.db.prepare_cached("DELETE FROM blobs WHERE hash = ? AND dropped = 1")?.execute([id.0])?;
    Ok(Answer::Done(Done { pos: None, hash: Some(*id) }))
}

/// A complete blob is in the store no more; it may be uploaded again.
pub(crate) fn lost(step: &Step<'_>, id: &Hash) -> Result<Answer, Stop> {
    release_all(step, id)?;
    step.db.prepare_cached("DELETE FROM blobs WHERE hash = ? AND dropped = 0")?.execute([id.0])?;
    Ok(Answer::Done(Done { pos: None, hash: Some(*id) }))
}

/// Exactly one of body and pointer, neither of them too long.
pub(crate) fn check_shape(body: &Body, blob: Option<&BlobRef>) -> Result<(), Stop> {
    match blob {
        _ if body.len() > MAX_HANDSHAKE => Err(too_large(MAX_HANDSHAKE as u64)),
        Some(blob) if blob.size > MAX_BIG_HANDSHAKE as u64 => Err(too_large(MAX_BIG_HANDSHAKE as u64)),
        Some(_) if body.is_empty() => Ok(()),
        None if !body.is_empty() => Ok(()),
        _ => Err(invalid()),
    }
}

/// Says to another partition that these are complete, and keeps them for their whole time from now on.
pub(crate) fn point_to(step: &Step<'_>, blobs: &[BlobRef]) -> Result<Answer, Stop> {
    blobs.iter().try_for_each(|blob| require(step, blob))?;
    blobs.iter().try_for_each(|blob| renew(step, &blob.id))?;
    Ok(Answer::Done(Done::default()))
}

/// A pointer is good for a complete blob of that size only, and small enough for a handshake (rule `BLB-5`). In a partition
/// that is not the directory it is complete if the directory said so.
pub(crate) fn require(step: &Step<'_>, blob: &BlobRef) -> Result<(), Stop> {
    if blob.size > MAX_BIG_HANDSHAKE as u64 {
        return Err(too_large(MAX_BIG_HANDSHAKE as u64));
    }
    if step.pointed.contains(blob) {
        return Ok(());
    }
    match complete_size(step, &blob.id)? {
        Some(size) if size == blob.size => Ok(()),
        _ => Err(Refusal::NotFound(Plain {}).into()),
    }
}

/// A complete blob is kept for its whole time from now on: an envelope points to it.
pub(crate) fn renew(step: &Step<'_>, id: &Hash) -> rusqlite::Result<()> {
    let now = int(step.now.0);
    step.db
        .prepare_cached("UPDATE blobs SET time = ? WHERE hash = ? AND dropped = 0")?
        .execute(params![now, id.0])
        .map(drop)
}

/// Drops what is too old, at most `limit` of each kind; says whether there may be more.
pub(crate) fn by_age(step: &Step<'_>, limit: u64) -> Result<bool, Stop> {
    let unfinished = unfinished_by_age(step, limit)?;
    Ok(complete_by_age(step, limit)? || unfinished)
}

/// Uploads that nobody went on with. Part of them may be in the store, even all if a crash came before it was noted.
fn unfinished_by_age(step: &Step<'_>, limit: u64) -> Result<bool, Stop> {
    let old = step.now.0.saturating_sub(BLOB_UNFINISHED_MS);
    let rows: Vec<(i64, Hash, i64)> = step
        .db
        .prepare_cached("SELECT account, hash, size FROM blob_reservations WHERE time < ? ORDER BY time LIMIT ?")?
        .query_map([int(old), int(limit)], |row| Ok((row.get(0)?, hash(row, 1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (account, id, size) in &rows {
        step.db
            .prepare_cached("INSERT OR IGNORE INTO blobs (hash, size, time, dropped) VALUES (?, ?, ?, 1)")?
            .execute(params![id.0, size, int(step.now.0)])?;
        release(step, *account, id, uint(*size))?;
    }
    Ok(rows.len() as u64 == limit)
}

fn complete_by_age(step: &Step<'_>, limit: u64) -> Result<bool, Stop> {
    let old = step.now.0.saturating_sub(BLOB_RETENTION_MS);
    let rows: Vec<Hash> = step
        .db
        .prepare_cached("SELECT hash FROM blobs WHERE dropped = 0 AND time < ? ORDER BY time LIMIT ?")?
        .query_map([int(old), int(limit)], |row| hash(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in &rows {
        step.db.prepare_cached("UPDATE blobs SET dropped = 1 WHERE hash = ?")?.execute([id.0])?;
        release_all(step, id)?;
    }
    Ok(rows.len() as u64 == limit)
}

/// What a blob takes of a quota: a file and a row cost something however short it is.
fn price(size: u64) -> i64 {
    int(size.max(BLOB_LEAST))
}

fn pay(step: &Step<'_>, account: i64, blob: &BlobRef, quota: u64) -> Result<(), Stop> {
    let used: i64 = step
        .db
        .prepare_cached("SELECT bytes FROM blob_use WHERE account = ?")?
        .query_row([account], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    if used.saturating_add(price(blob.size)) > int(quota) {
        return Err(too_large(quota));
    }
    step.db
        .prepare_cached(
            "INSERT INTO blob_use (account, bytes) VALUES (?1, ?2)
             ON CONFLICT (account) DO UPDATE SET bytes = bytes + ?2",
        )?
        .execute([account, price(blob.size)])?;
    Ok(())
}

/// Nobody pays for a complete blob any more.
fn release_all(step: &Step<'_>, id: &Hash) -> Result<(), Stop> {
    let payers: Vec<(i64, i64)> = step
        .db
        .prepare_cached("SELECT account, size FROM blob_reservations WHERE hash = ? AND time IS NULL")?
        .query_map([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    payers.into_iter().try_for_each(|(account, size)| release(step, account, id, uint(size)))
}

fn release(step: &Step<'_>, account: i64, id: &Hash, size: u64) -> Result<(), Stop> {
    step.db
        .prepare_cached("DELETE FROM blob_reservations WHERE account = ? AND hash = ?")?
        .execute(params![account, id.0])?;
    step.db
        .prepare_cached("UPDATE blob_use SET bytes = bytes - ? WHERE account = ?")?
        .execute([price(size), account])?;
    step.db.prepare_cached("DELETE FROM blob_use WHERE account = ? AND bytes <= 0")?.execute([account])?;
    Ok(())
}

fn complete_size(step: &Step<'_>, id: &Hash) -> rusqlite::Result<Option<u64>> {
    step.db
        .prepare_cached("SELECT size FROM blobs WHERE hash = ? AND dropped = 0")?
        .query_row([id.0], |row| row.get(0).map(uint))
        .optional()
}

fn reserved_size(step: &Step<'_>, account: i64, id: &Hash) -> rusqlite::Result<Option<u64>> {
    step.db
        .prepare_cached("SELECT size FROM blob_reservations WHERE account = ? AND hash = ?")?
        .query_row(params![account, id.0], |row| row.get(0).map(uint))
        .optional()
}

fn too_large(limit: u64) -> Stop {
    Refusal::TooLarge(TooLarge { limit }).into()
}

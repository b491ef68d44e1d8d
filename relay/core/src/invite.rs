//! Leave to register: made by the host, used by newcomers (rules `INV-*`).

use crate::error::Stop;
use crate::sql::{int, millis};
use crate::step::Step;
use aside_protocol::refusal::Plain;
use aside_protocol::request::{Answer, Done};
use aside_protocol::{Hash, Millis, Refusal};
use rusqlite::{OptionalExtension, params};

/// Stores an invite; the same one twice counts once.
pub(crate) fn create(step: &mut Step<'_>, secret: &Hash, uses: u32, valid: u64) -> Result<Answer, Stop> {
    // By the core's time, which never goes back: a clock that was wrong once must not make new invites old.
    let expires = Millis(step.now.0.saturating_add(valid).min(Millis::MAX.0));
    step.db
        .prepare_cached("INSERT OR IGNORE INTO invites (hash, uses, expires) VALUES (?, ?, ?)")?
        .execute(params![secret.0, uses, int(expires.0)])?;
    Ok(Answer::Done(Done::default()))
}

/// Refuses an invite that is unknown, expired or used up.
pub(crate) fn check(step: &Step<'_>, secret: &Hash) -> Result<(), Stop> {
    let found = step
        .db
        .prepare_cached("SELECT uses, expires FROM invites WHERE hash = ?")?
        .query_row([secret.0], |row| Ok((row.get::<_, u32>(0)?, millis(row, 1)?)))
        .optional()?;
    match found {
        None => Err(Refusal::InviteUnknown(Plain {}).into()),
        Some((_, expires)) if step.now >= expires => Err(Refusal::InviteExpired(Plain {}).into()),
        Some((0, _)) => Err(Refusal::InviteUsed(Plain {}).into()),
        Some(_) => Ok(()),
    }
}

/// Uses a checked invite once.
pub(crate) fn take(step: &Step<'_>, secret: &Hash) -> Result<(), Stop> {
    step.db.prepare_cached("UPDATE invites SET uses = uses - 1 WHERE hash = ?")?.execute([secret.0])?;
    Ok(())
}

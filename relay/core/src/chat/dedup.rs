//! Once-ness: each device's counter in each chat, and the last 64 answers (rules `ORD-1`, `REF-1`,
//! `REF-3`, `REF-4`).

use crate::error::Stop;
use crate::sql::{hash, int, millis, n, seq, uint};
use crate::step::{Step, invalid};
use aside_protocol::limits::UNANSWERED_SENDS;
use aside_protocol::refusal::{Conflict, OutOfOrder, Plain};
use aside_protocol::request::Sent;
use aside_protocol::{Hash, Millis, N, Refusal, Seq, codec};
use bytes::Bytes;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

/// An accepted envelope as its sender may ask for it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recorded {
    n: N,
    seq: Seq,
    time: Millis,
    hash: Hash,
}

/// A sender's whole state in a chat, as the undo of a commit keeps it.
pub(super) type Saved = (Option<i64>, Vec<u8>);

/// `None`: the number is the next one. `Some`: it was accepted before, with these bytes. Else refused.
pub(super) fn check(step: &Step<'_>, chat: i64, device: i64, asked: N, bytes: &Hash) -> Result<Option<Sent>, Stop> {
    let last = last(step, chat, device)?;
    if asked.0 == 0 {
        return Err(invalid());
    }
    if asked > last.next() {
        return Err(Refusal::OutOfOrder(OutOfOrder { expected: last.next() }).into());
    }
    if asked == last.next() {
        return Ok(None);
    }
    match recorded(step, chat, device, asked)? {
        Some(answer) if answer.hash == *bytes => Ok(Some(Sent { n: asked, seq: answer.seq, time: answer.time })),
        Some(answer) => Err(Refusal::Conflict(Conflict { n: asked, hash: answer.hash }).into()),
        None => Err(Refusal::TooOld(Plain {}).into()),
    }
}

/// Notes an accepted envelope; overwrites the answer 64 numbers ago.
pub(super) fn record(step: &Step<'_>, chat: i64, device: i64, number: N, at: Seq, bytes: &Hash) -> Result<Sent, Stop> {
    step.db
        .prepare_cached("INSERT INTO senders VALUES (?1, ?2, ?3) ON CONFLICT (chat, device) DO UPDATE SET n = ?3")?
        .execute([chat, device, int(number.0)])?;
    put(step, chat, device, &Recorded { n: number, seq: at, time: step.now, hash: *bytes })?;
    Ok(Sent { n: number, seq: at, time: step.now })
}

/// Forgets a sender: it starts again at 1.
pub(super) fn reset(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<()> {
    step.db.prepare_cached("DELETE FROM senders WHERE chat = ? AND device = ?")?.execute([chat, device])?;
    step.db.prepare_cached("DELETE FROM answers WHERE chat = ? AND device = ?")?.execute([chat, device])?;
    Ok(())
}

/// Forgets every sender of a chat: a new incarnation begins.
pub(super) fn reset_all(step: &Step<'_>, chat: i64) -> rusqlite::Result<()> {
    step.db.prepare_cached("DELETE FROM senders WHERE chat = ?")?.execute([chat])?;
    step.db.prepare_cached("DELETE FROM answers WHERE chat = ?")?.execute([chat])?;
    Ok(())
}

/// Copies a sender's state out.
pub(super) fn save(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<Saved> {
    let number = last(step, chat, device)?;
    let answers = step
        .db
        .prepare_cached("SELECT n, seq, time, hash FROM answers WHERE chat = ? AND device = ? ORDER BY slot")?
        .query_map([chat, device], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(((number.0 > 0).then(|| int(number.0)), codec::encode(&answers).to_vec()))
}

/// Puts a saved state in place of the present one.
pub(super) fn restore(step: &Step<'_>, chat: i64, device: i64, saved: Saved) -> rusqlite::Result<()> {
    reset(step, chat, device)?;
    if let Some(number) = saved.0 {
        step.db.prepare_cached("INSERT INTO senders VALUES (?, ?, ?)")?.execute([chat, device, number])?;
    }
    let answers: Vec<Recorded> = codec::decode(&Bytes::from(saved.1)).unwrap_or_default();
    answers.iter().try_for_each(|answer| put(step, chat, device, answer))
}

fn last(step: &Step<'_>, chat: i64, device: i64) -> rusqlite::Result<N> {
    let found: Option<i64> = step
        .db
        .prepare_cached("SELECT n FROM senders WHERE chat = ? AND device = ?")?
        .query_row([chat, device], |row| row.get(0))
        .optional()?;
    Ok(N(found.map_or(0, uint)))
}

fn recorded(step: &Step<'_>, chat: i64, device: i64, asked: N) -> rusqlite::Result<Option<Recorded>> {
    let answer = step
        .db
        .prepare_cached("SELECT n, seq, time, hash FROM answers WHERE chat = ? AND device = ? AND slot = ?")?
        .query_row([chat, device, slot(asked)], read)
        .optional()?;
    Ok(answer.filter(|answer| answer.n == asked))
}

fn put(step: &Step<'_>, chat: i64, device: i64, answer: &Recorded) -> rusqlite::Result<()> {
    step.db.prepare_cached("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        chat,
        device,
        slot(answer.n),
        int(answer.n.0),
        int(answer.seq.0),
        int(answer.time.0),
        answer.hash.0
    ])?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Recorded> {
    Ok(Recorded { n: n(row, 0)?, seq: seq(row, 1)?, time: millis(row, 2)?, hash: hash(row, 3)? })
}

fn slot(number: N) -> i64 {
    int(number.0 % UNANSWERED_SENDS)
}

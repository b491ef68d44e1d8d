//! Once-ness: each device's counter in each chat, and the last 64 answers (rules `ORD-1`, `REF-1`,
//! `REF-3`, `REF-4`).
//!
//! An answer is what the log says of its envelope; each names the one its sender sent before it. Retention keeps the
//! answers of what it deletes in a table of their own.

use crate::cache::SenderRow;
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
pub(super) fn check(step: &mut Step<'_>, chat: i64, device: i64, asked: N, bytes: &Hash) -> Result<Option<Sent>, Stop> {
    let sender = sender(step, chat, device)?;
    let next = sender.n.next();
    if asked.0 == 0 {
        return Err(invalid());
    }
    if asked > next {
        return Err(Refusal::OutOfOrder(OutOfOrder { expected: next }).into());
    }
    if asked == next {
        return Ok(None);
    }
    match recorded(step, chat, device, sender, asked)? {
        Some(answer) if answer.hash == *bytes => Ok(Some(Sent { n: asked, seq: answer.seq, time: answer.time })),
        Some(answer) => Err(Refusal::Conflict(Conflict { n: asked, hash: answer.hash }).into()),
        None => Err(Refusal::TooOld(Plain {}).into()),
    }
}

/// Where the sender's last envelope stands, as the next one names it.
pub(super) fn previous(step: &mut Step<'_>, chat: i64, device: i64) -> rusqlite::Result<Option<Seq>> {
    Ok(sender(step, chat, device)?.at)
}

/// Notes an envelope that was appended at `at`.
pub(super) fn record(step: &mut Step<'_>, chat: i64, device: i64, number: N, at: Seq) -> Result<Sent, Stop> {
    let values = [int(number.0), int(at.0), chat, device];
    let known =
        step.db.prepare_cached("UPDATE senders SET n = ?, seq = ? WHERE chat = ? AND device = ?")?.execute(values)?;
    if known == 0 {
        step.db
            .prepare_cached("INSERT INTO senders (n, seq, chat, device, since) VALUES (?1, ?2, ?3, ?4, ?2 - 1)")?
            .execute(values)?;
    }
    step.cache.keep_sender(chat, device, SenderRow { n: number, at: Some(at) });
    Ok(Sent { n: number, seq: at, time: step.now })
}

/// Forgets a sender: it starts again at 1.
pub(super) fn reset(step: &mut Step<'_>, chat: i64, device: i64) -> rusqlite::Result<()> {
    step.cache.forget_sender(chat, device);
    step.db.prepare_cached("DELETE FROM senders WHERE chat = ? AND device = ?")?.execute([chat, device])?;
    step.db.prepare_cached("DELETE FROM answers WHERE chat = ? AND device = ?")?.execute([chat, device])?;
    Ok(())
}

/// Forgets every sender of a chat: a new incarnation begins.
pub(super) fn reset_all(step: &mut Step<'_>, chat: i64) -> rusqlite::Result<()> {
    step.cache.forget_senders();
    step.db.prepare_cached("DELETE FROM senders WHERE chat = ?")?.execute([chat])?;
    step.db.prepare_cached("DELETE FROM answers WHERE chat = ?")?.execute([chat])?;
    Ok(())
}

/// Copies a sender's state out.
pub(super) fn save(step: &mut Step<'_>, chat: i64, device: i64) -> rusqlite::Result<Saved> {
    let sender = sender(step, chat, device)?;
    let first = sender.n.0.saturating_sub(UNANSWERED_SENDS) + 1;
    let answers = (first..=sender.n.0)
        .filter_map(|number| recorded(step, chat, device, sender, N(number)).transpose())
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(((sender.n.0 > 0).then(|| int(sender.n.0)), codec::encode(&answers).to_vec()))
}

/// Puts a saved state in place of the present one. From here on the log tells nothing of what came before.
pub(super) fn restore(step: &mut Step<'_>, chat: i64, device: i64, saved: Saved) -> rusqlite::Result<()> {
    reset(step, chat, device)?;
    if let Some(number) = saved.0 {
        step.db
            .prepare_cached(
                "INSERT INTO senders (chat, device, n, since)
                 VALUES (?1, ?2, ?3, (SELECT last FROM chats WHERE id = ?1))",
            )?
            .execute([chat, device, number])?;
    }
    let answers: Vec<Recorded> = codec::decode(&Bytes::from(saved.1)).unwrap_or_default();
    answers.iter().try_for_each(|answer| put(step, chat, device, answer))
}

/// Keeps the answers of a chat's envelopes up to `last`, which are about to be deleted.
pub(crate) fn keep_answers(step: &Step<'_>, chat: i64, last: Seq) -> rusqlite::Result<()> {
    step.db
        .prepare_cached(
            "INSERT OR REPLACE INTO answers
             SELECT l.chat, l.sender, l.n % ?3, l.n, l.seq, l.time, l.hash FROM log l
             JOIN senders s ON s.chat = l.chat AND s.device = l.sender
             WHERE l.chat = ?1 AND l.seq <= ?2 AND l.seq > s.since AND l.n <= s.n AND l.n > s.n - ?3 ORDER BY l.seq",
        )?
        .execute([chat, int(last.0), int(UNANSWERED_SENDS)])?;
    Ok(())
}

fn sender(step: &mut Step<'_>, chat: i64, device: i64) -> rusqlite::Result<SenderRow> {
    if let Some(row) = step.cache.sender(chat, device) {
        return Ok(row);
    }
    let found = step
        .db
        .prepare_cached("SELECT n, seq FROM senders WHERE chat = ? AND device = ?")?
        .query_row([chat, device], |row| {
            let at = row.get::<_, Option<i64>>(1)?.map(|at| Seq(uint(at)));
            Ok(SenderRow { n: n(row, 0)?, at })
        })
        .optional()?;
    let row = found.unwrap_or(SenderRow { n: N(0), at: None });
    step.cache.keep_sender(chat, device, row);
    Ok(row)
}

/// The answer to one of the sender's last 64 numbers: from the log while its envelope is there, else from those kept.
fn recorded(
    step: &Step<'_>,
    chat: i64,
    device: i64,
    sender: SenderRow,
    asked: N,
) -> rusqlite::Result<Option<Recorded>> {
    if asked.0 + UNANSWERED_SENDS <= sender.n.0 {
        return Ok(None);
    }
    let mut at = sender.at;
    while let Some(place) = at {
        match in_log(step, chat, device, place)? {
            Some((answer, _)) if answer.n == asked => return Ok(Some(answer)),
            Some((answer, previous)) if answer.n > asked => at = previous,
            _ => break,
        }
    }
    let kept = step
        .db
        .prepare_cached("SELECT n, seq, time, hash FROM answers WHERE chat = ? AND device = ? AND slot = ?")?
        .query_row([chat, device, slot(asked)], read)
        .optional()?;
    Ok(kept.filter(|answer| answer.n == asked))
}

/// What the log says of an envelope, and where the sender's one before it stands.
fn in_log(step: &Step<'_>, chat: i64, device: i64, at: Seq) -> rusqlite::Result<Option<(Recorded, Option<Seq>)>> {
    step.db
        .prepare_cached("SELECT n, seq, time, hash, previous FROM log WHERE chat = ? AND seq = ? AND sender = ?")?
        .query_row([chat, int(at.0), device], |row| {
            Ok((read(row)?, row.get::<_, Option<i64>>(4)?.map(|at| Seq(uint(at)))))
        })
        .optional()
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

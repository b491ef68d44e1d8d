//! Envelopes out of their tables. `reader` is the inner id of the device that reads.

use super::View;
use crate::sql::{chat, device, hash, int, millis, n, pos, seq, uint};
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::request::BlobRef;
use aside_protocol::{AccountId, Body, Hash, PartitionId, Pos, Seq};
use rusqlite::{OptionalExtension, Row};

/// The columns that all three tables share, in this order, for [`shared`].
macro_rules! shared_columns {
    () => {
        "e.pos, c.chat, d.device, a.account, e.time, e.body, e.sender"
    };
}

impl View<'_> {
    /// One envelope of a chat's log; the reader's own comes without its body (rule `ENV-4`).
    pub(super) fn logged(&self, reader: i64, chat_row: i64, at: Seq) -> rusqlite::Result<Option<Envelope>> {
        self.db
            .prepare_cached(concat!(
                "SELECT ",
                shared_columns!(),
                ", e.kind, e.seq, e.n, e.base, e.incarnation, e.hash, e.blob_size, e.routing FROM log e JOIN chats c ON c.id = e.chat
                 JOIN devices d ON d.id = e.sender JOIN accounts a ON a.id = d.account
                 WHERE e.chat = ? AND e.seq = ?"
            ))?
            .query_row([chat_row, int(at.0)], |row| {
                let own = row.get::<_, i64>(6)? == reader;
                let hash = hash(row, 12)?;
                let whole = carrying(shared(row, self.partition)?, blob(hash, row.get(13)?));
                Ok(Envelope {
                    kind: kind(row, 7)?,
                    seq: Some(seq(row, 8)?),
                    n: Some(n(row, 9)?),
                    base: Some(seq(row, 10)?),
                    incarnation: row.get::<_, Option<i64>>(11)?.map(uint),
                    hash: Some(hash),
                    body: whole.body.clone().filter(|_| !own),
                    blob: whole.blob.filter(|_| !own),
                    routing: row.get::<_, Option<[u8; 32]>>(14)?.map(Hash),
                    ..whole
                })
            })
            .optional()
    }

    /// One addressed envelope.
    pub(super) fn addressed(&self, at: Pos) -> rusqlite::Result<Option<Envelope>> {
        self.db
            .prepare_cached(concat!(
                "SELECT ",
                shared_columns!(),
                ", e.kind, e.base, e.incarnation, e.blob, e.blob_size FROM addressed e JOIN chats c ON c.id = e.chat
                 JOIN devices d ON d.id = e.sender JOIN accounts a ON a.id = d.account WHERE e.pos = ?"
            ))?
            .query_row([int(at.0)], |row| {
                let (id, size) = (row.get::<_, Option<[u8; 32]>>(10)?, row.get(11)?);
                let pointer = id.and_then(|id| blob(Hash(id), size));
                Ok(Envelope {
                    kind: kind(row, 7)?,
                    base: row.get::<_, Option<i64>>(8)?.map(|base| Seq(uint(base))),
                    incarnation: row.get::<_, Option<i64>>(9)?.map(uint),
                    ..carrying(shared(row, self.partition)?, pointer)
                })
            })
            .optional()
    }

    /// One receipt.
    pub(super) fn receipt(&self, at: Pos) -> rusqlite::Result<Option<Envelope>> {
        self.db
            .prepare_cached(concat!(
                "SELECT ",
                shared_columns!(),
                ", e.base FROM (SELECT *, device AS sender FROM receipts) e JOIN chats c ON c.id = e.chat
                 JOIN devices d ON d.id = e.sender JOIN accounts a ON a.id = d.account WHERE e.pos = ?"
            ))?
            .query_row([int(at.0)], |row| {
                Ok(Envelope { kind: EnvelopeKind::Receipt, base: Some(seq(row, 7)?), ..shared(row, self.partition)? })
            })
            .optional()
    }
}

fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<EnvelopeKind> {
    Ok(EnvelopeKind::from_code(uint(row.get(column)?)))
}

/// A pointer, if the row has a size for it.
fn blob(id: Hash, size: Option<i64>) -> Option<BlobRef> {
    size.map(|size| BlobRef { id, size: uint(size) })
}

/// The envelope with a pointer in place of its body, if there is one. No body is stored as an empty one.
fn carrying(envelope: Envelope, blob: Option<BlobRef>) -> Envelope {
    Envelope { body: envelope.body.filter(|body| !body.is_empty()), blob, ..envelope }
}

fn shared(row: &Row<'_>, partition: PartitionId) -> rusqlite::Result<Envelope> {
    Ok(Envelope {
        partition,
        pos: pos(row, 0)?,
        kind: EnvelopeKind::Message,
        chat: chat(row, 1)?,
        from: device(row, 2)?,
        account: AccountId(row.get(3)?),
        time: millis(row, 4)?,
        seq: None,
        n: None,
        base: None,
        incarnation: None,
        hash: None,
        body: Some(Body::from(row.get::<_, Vec<u8>>(5)?)),
        blob: None,
        routing: None,
    })
}

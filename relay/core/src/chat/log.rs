//! Storing envelopes: chat-wide ones in the chat's log, others once with a row for each addressee.

use super::ChatRow;
use crate::blob;
use crate::cache::DeviceRow;
use crate::error::Stop;
use crate::outcome::{Delivery, Recipients};
use crate::sql::int;
use crate::step::Step;
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::request::BlobRef;
use aside_protocol::{Body, DeviceId, Hash, N, Pos, Seq};
use rusqlite::params;

/// What a chat-wide envelope consists of besides its place.
pub(super) struct Entry<'a> {
    pub(super) kind: EnvelopeKind,
    pub(super) n: N,
    /// Where the sender's envelope before this one stands in the chat, if it is still known.
    pub(super) previous: Option<Seq>,
    pub(super) base: Seq,
    pub(super) incarnation: Option<u64>,
    pub(super) hash: &'a Hash,
    /// Empty if there is a blob.
    pub(super) body: &'a Body,
    /// A complete one, whose id is `hash`.
    pub(super) blob: Option<&'a BlobRef>,
    /// Of a commit: what it asked of the routing (rule `CHT-11`).
    pub(super) routing: Option<Hash>,
}

/// Appends to the chat's log and delivers to `to`, and to the sender as an echo. Returns where it stands.
pub(super) fn append(
    step: &mut Step<'_>,
    chat: &mut ChatRow,
    sender: &DeviceRow,
    entry: &Entry<'_>,
    to: Recipients,
) -> Result<Pos, Stop> {
    let pos = step.take_pos();
    chat.last = chat.last.next();
    chat.save_last(step, pos)?;
    step.db.prepare_cached("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        int(pos.0),
        chat.id,
        int(chat.last.0),
        int(entry.kind.code()),
        sender.id,
        int(entry.n.0),
        int(entry.base.0),
        entry.incarnation.map(int),
        int(step.now.0),
        entry.hash.0,
        &entry.body[..],
        entry.previous.map(|previous| int(previous.0)),
        entry.blob.map(|blob| int(blob.size)),
        entry.routing.map(|routing| routing.0)
    ])?;
    pointed_to(step, entry.blob)?;
    let envelope = Envelope {
        seq: Some(chat.last),
        n: Some(entry.n),
        base: Some(entry.base),
        incarnation: entry.incarnation,
        hash: Some(*entry.hash),
        routing: entry.routing,
        ..plain(step, chat, sender, entry.kind, pos, (entry.body, entry.blob))
    };
    step.deliveries.push(Delivery { envelope, to, echo: Some(sender.device) });
    Ok(pos)
}

/// Stores an envelope for some devices alone.
pub(super) fn address(
    step: &mut Step<'_>,
    chat: &ChatRow,
    sender: &DeviceRow,
    parcel: &Parcel<'_>,
) -> Result<Pos, Stop> {
    let pos = step.take_pos();
    step.db.prepare_cached("INSERT INTO addressed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        int(pos.0),
        chat.id,
        int(parcel.kind.code()),
        sender.id,
        parcel.base.map(|base| int(base.0)),
        parcel.incarnation.map(int),
        int(step.now.0),
        parcel.to.len(),
        &parcel.body[..],
        parcel.blob.map(|blob| blob.id.0),
        parcel.blob.map(|blob| int(blob.size))
    ])?;
    pointed_to(step, parcel.blob)?;
    for (device, _) in parcel.to {
        step.db.prepare_cached("INSERT INTO addressees VALUES (?, ?)")?.execute([*device, int(pos.0)])?;
    }
    let envelope = Envelope {
        base: parcel.base,
        incarnation: parcel.incarnation,
        ..plain(step, chat, sender, parcel.kind, pos, (parcel.body, parcel.blob))
    };
    let to = Recipients::only(parcel.to);
    step.deliveries.push(Delivery { envelope, to, echo: None });
    Ok(pos)
}

/// An envelope outlives no blob that it points to.
fn pointed_to(step: &Step<'_>, blob: Option<&BlobRef>) -> rusqlite::Result<()> {
    blob.map_or(Ok(()), |blob| blob::renew(step, &blob.id))
}

/// What an addressed envelope consists of, and for whom it is: inner id, outer id, no device twice.
pub(super) struct Parcel<'a> {
    pub(super) kind: EnvelopeKind,
    pub(super) base: Option<Seq>,
    pub(super) incarnation: Option<u64>,
    /// Empty if there is a blob.
    pub(super) body: &'a Body,
    pub(super) blob: Option<&'a BlobRef>,
    pub(super) to: &'a [(i64, DeviceId)],
}

/// The parts all kinds share.
pub(super) fn plain(
    step: &Step<'_>,
    chat: &ChatRow,
    sender: &DeviceRow,
    kind: EnvelopeKind,
    pos: Pos,
    (body, blob): (&Body, Option<&BlobRef>),
) -> Envelope {
    Envelope {
        partition: step.part.partition,
        pos,
        kind,
        chat: chat.chat,
        from: sender.device,
        account: sender.account_id,
        time: step.now,
        seq: None,
        n: None,
        base: None,
        incarnation: None,
        hash: None,
        body: (!body.is_empty()).then(|| body.clone()),
        blob: blob.copied(),
        routing: None,
    }
}

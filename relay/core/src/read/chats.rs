//! Reading one chat: envelopes again, and where it is routed. Only for devices meant to have them.

use super::View;
use crate::sql::{device, int, pos, seq, uint};
use aside_protocol::limits::RANGE_PAGE;
use aside_protocol::request::{Envelopes, Range, Routed};
use aside_protocol::{ChatId, DeviceId, Pos, Seq};
use rusqlite::OptionalExtension;

/// Most bytes of bodies in one answer: with its envelopes it stays well within a frame.
const RANGE_BYTES: usize = 512 << 10;

struct ChatPlace {
    id: i64,
    first: Seq,
    last: Seq,
    base: Seq,
    incarnation: u64,
}

/// Positions after `.0`, up to and including `.1`.
type Interval = (Pos, Pos);

impl View<'_> {
    /// Envelopes of a chat that lie within the device's intervals; `None` if it never was in the chat.
    pub fn range(&self, reader: &DeviceId, range: &Range) -> rusqlite::Result<Option<Envelopes>> {
        let (Some(reader), Some(chat)) = (self.device_row(reader)?, self.chat_place(&range.chat)?) else {
            return Ok(None);
        };
        let intervals = self.intervals(chat.id, reader)?;
        if intervals.is_empty() {
            return Ok(None);
        }
        let (from, to) = (range.from.max(chat.first), range.to.min(chat.last));
        let (mut envelopes, mut bytes) = (Vec::new(), 0);
        for (at, pos) in self.places(chat.id, from, to)? {
            if !intervals.iter().any(|(start, stop)| *start < pos && pos <= *stop) {
                continue;
            }
            let Some(envelope) = self.logged(reader, chat.id, at)? else { continue };
            bytes += envelope.weight();
            if !envelopes.is_empty() && (bytes > RANGE_BYTES || envelopes.len() >= RANGE_PAGE) {
                break;
            }
            envelopes.push(envelope);
        }
        Ok(Some(Envelopes { envelopes, first: chat.first }))
    }

    /// Where a chat is routed; `None` unless the device is among them.
    pub fn routing(&self, reader: &DeviceId, chat: &ChatId) -> rusqlite::Result<Option<Routed>> {
        let Some(chat) = self.chat_place(chat)? else {
            return Ok(None);
        };
        let devices: Vec<DeviceId> = self
            .db
            .prepare_cached(
                "SELECT d.device FROM intervals i JOIN devices d ON d.id = i.device
                 WHERE i.chat = ? AND i.stop IS NULL ORDER BY i.device",
            )?
            .query_map([chat.id], |row| device(row, 0))?
            .collect::<rusqlite::Result<_>>()?;
        let routed = Routed { devices, incarnation: chat.incarnation, base: chat.base, last: chat.last };
        Ok(routed.devices.contains(reader).then_some(routed))
    }

    pub(super) fn device_row(&self, device: &DeviceId) -> rusqlite::Result<Option<i64>> {
        self.db
            .prepare_cached("SELECT id FROM devices WHERE device = ?")?
            .query_row([device.0], |row| row.get(0))
            .optional()
    }

    fn chat_place(&self, chat: &ChatId) -> rusqlite::Result<Option<ChatPlace>> {
        self.db
            .prepare_cached("SELECT id, first, last, base, incarnation FROM chats WHERE chat = ?")?
            .query_row([chat.0], |row| {
                Ok(ChatPlace {
                    id: row.get(0)?,
                    first: seq(row, 1)?,
                    last: seq(row, 2)?,
                    base: seq(row, 3)?,
                    incarnation: uint(row.get(4)?),
                })
            })
            .optional()
    }

    fn intervals(&self, chat: i64, device: i64) -> rusqlite::Result<Vec<Interval>> {
        self.db
            .prepare_cached("SELECT start, stop FROM intervals WHERE chat = ? AND device = ? ORDER BY start")?
            .query_map([chat, device], |row| {
                let stop = row.get::<_, Option<i64>>(1)?.map_or(Pos(u64::MAX), |stop| Pos(uint(stop)));
                Ok((pos(row, 0)?, stop))
            })?
            .collect()
    }

    /// Places of at most a few pages of envelopes, without their bodies: an index alone answers this.
    fn places(&self, chat: i64, from: Seq, to: Seq) -> rusqlite::Result<Vec<(Seq, Pos)>> {
        self.db
            .prepare_cached("SELECT seq, pos FROM log WHERE chat = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT 4096")?
            .query_map([chat, int(from.0), int(to.0)], |row| Ok((seq(row, 0)?, pos(row, 1)?)))?
            .collect()
    }
}

//! Catching up: what lies after a device's cursor, merged by position from one head per source.
//!
//! A source is an interval of a chat's log, the receipts of such an interval, or what is addressed to the device.
//! The heads stay in the session between pages, so a page costs as much as its envelopes, however many chats there are.
//! Every scan is bounded by the head of its snapshot; what comes later is found by the next scan. Only a scan that
//! finds nothing ends it, so that no envelope up to the position it reports is missed or given twice.

use super::View;
use crate::sql::{int, pos, seq, uint};
use aside_protocol::envelope::Envelope;
use aside_protocol::limits::RECEIPT_PUSH_DEVICES;
use aside_protocol::{DeviceId, Pos, Seq};
use rusqlite::OptionalExtension;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One page of a catch-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In order of `pos`.
    pub envelopes: Vec<Envelope>,
    /// Set when there is nothing more up to here; then there are no envelopes.
    pub done_up_to: Option<Pos>,
}

/// A catch-up under way. Pages may come from different readers of the same database.
#[derive(Debug)]
pub struct CatchUp {
    device: DeviceId,
    /// Everything up to here was given.
    at: Pos,
    /// The scan under way covers everything up to here.
    bound: Pos,
    heads: BinaryHeap<Reverse<(Pos, Source)>>,
}

/// Where one head comes from. The interval's start lies in the head's position already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Log { chat: i64, seq: Seq, stop: Pos },
    Receipts { chat: i64, stop: Pos },
    Addressed,
}

/// An interval of a chat that may hold something: positions after `start`, up to and including `stop`.
struct Open {
    chat: i64,
    start: Pos,
    stop: Pos,
    /// Whether its receipts are delivered (rule `RCP-5`).
    receipts: bool,
}

impl CatchUp {
    /// Begins after `cursor`.
    pub fn new(device: DeviceId, cursor: Pos) -> Self {
        Self { device, at: cursor, bound: cursor, heads: BinaryHeap::new() }
    }

    /// Gives the next envelopes: at most `most`, and no more bytes than `bytes` unless the first alone has more.
    pub fn next_page(&mut self, view: &View<'_>, most: usize, bytes: usize) -> rusqlite::Result<Page> {
        let Some(reader) = view.device_row(&self.device)? else {
            return Ok(Page { envelopes: Vec::new(), done_up_to: Some(view.head()?) });
        };
        let envelopes = self.fill(view, reader, most, bytes)?;
        if !envelopes.is_empty() {
            return Ok(Page { envelopes, done_up_to: None });
        }
        self.scan(view, reader)?;
        let envelopes = self.fill(view, reader, most, bytes)?;
        let done_up_to = envelopes.is_empty().then_some(self.at);
        Ok(Page { envelopes, done_up_to })
    }

    /// Takes from the heads until the page is full or the scan is through.
    fn fill(&mut self, view: &View<'_>, reader: i64, most: usize, bytes: usize) -> rusqlite::Result<Vec<Envelope>> {
        let (mut envelopes, mut weight) = (Vec::new(), 0);
        while envelopes.len() < most.max(1) {
            let Some(Reverse((at, source))) = self.heads.peek().copied() else {
                self.at = self.bound;
                break;
            };
            if let Some(envelope) = source.fetch(view, reader, at)? {
                weight += envelope.weight();
                if weight > bytes && !envelopes.is_empty() {
                    break;
                }
                envelopes.push(envelope);
            }
            self.heads.pop();
            self.at = at;
            if let Some(head) = source.after(view, reader, at, self.bound)? {
                self.heads.push(Reverse(head));
            }
        }
        Ok(envelopes)
    }

    /// Finds the heads of all sources that have something in (`at`, head of this snapshot].
    fn scan(&mut self, view: &View<'_>, reader: i64) -> rusqlite::Result<()> {
        // The head may lie before the cursor only if the cursor is of another life of the log.
        self.bound = view.head()?.max(self.at);
        self.heads.clear();
        for Open { chat, start, stop, receipts } in view.open_intervals(reader, self.at)? {
            let after = start.max(self.at);
            if let Some(seq) = view.first_seq_after(chat, after)? {
                self.heads.extend(view.log_head(chat, seq, stop, self.bound)?.map(Reverse));
            }
            if receipts {
                let receipts = Source::Receipts { chat, stop };
                self.heads.extend(receipts.after(view, reader, after, self.bound)?.map(Reverse));
            }
        }
        self.heads.extend(Source::Addressed.after(view, reader, self.at, self.bound)?.map(Reverse));
        Ok(())
    }
}

impl Source {
    /// The envelope at a head. Retention, or a newer receipt, may have taken it away since.
    fn fetch(self, view: &View<'_>, reader: i64, at: Pos) -> rusqlite::Result<Option<Envelope>> {
        match self {
            Self::Log { chat, seq, .. } => view.logged(reader, chat, seq),
            Self::Receipts { .. } => view.receipt(at),
            Self::Addressed => view.addressed(at),
        }
    }

    /// The source's next head after `at`, if it lies within the source and the scan.
    fn after(self, view: &View<'_>, reader: i64, at: Pos, bound: Pos) -> rusqlite::Result<Option<(Pos, Self)>> {
        match self {
            Self::Log { chat, seq, stop } => view.log_head(chat, seq.next(), stop, bound),
            Self::Receipts { chat, stop } => {
                let next = view.next_receipt(chat, reader, at)?;
                Ok(next.filter(|next| *next <= stop.min(bound)).map(|next| (next, self)))
            }
            Self::Addressed => {
                let next = view.next_addressed(reader, at)?;
                Ok(next.filter(|next| *next <= bound).map(|next| (next, self)))
            }
        }
    }
}

impl View<'_> {
    /// The device's intervals that may hold something after `at`.
    fn open_intervals(&self, reader: i64, at: Pos) -> rusqlite::Result<Vec<Open>> {
        self.db
            .prepare_cached(
                "SELECT i.chat, i.start, i.stop, c.routed <= ?3 FROM intervals i JOIN chats c ON c.id = i.chat
                 WHERE i.device = ?1 AND (i.stop IS NULL OR i.stop > ?2) AND max(c.last_pos, c.receipt_pos) > ?2",
            )?
            .query_map([reader, int(at.0), int(RECEIPT_PUSH_DEVICES as u64)], |row| {
                let stop = row.get::<_, Option<i64>>(2)?.map_or(Pos(u64::MAX), |stop| Pos(uint(stop)));
                Ok(Open { chat: row.get(0)?, start: pos(row, 1)?, stop, receipts: row.get(3)? })
            })?
            .collect()
    }

    /// The head of a log source at `seq` or, when retention took that, at the oldest held after it.
    fn log_head(&self, chat: i64, at: Seq, stop: Pos, bound: Pos) -> rusqlite::Result<Option<(Pos, Source)>> {
        let found = self
            .db
            .prepare_cached("SELECT seq, pos FROM log WHERE chat = ? AND seq >= ? ORDER BY seq LIMIT 1")?
            .query_row([chat, int(at.0)], |row| Ok((seq(row, 0)?, pos(row, 1)?)))
            .optional()?;
        let inside = found.filter(|(_, pos)| *pos <= stop.min(bound));
        Ok(inside.map(|(seq, pos)| (pos, Source::Log { chat, seq, stop })))
    }

    /// The first held `seq` of a chat whose position lies after `at`: `seq` and `pos` rise together, so it is searched
    /// by halving.
    fn first_seq_after(&self, chat: i64, at: Pos) -> rusqlite::Result<Option<Seq>> {
        let (first, last, last_pos) = self
            .db
            .prepare_cached("SELECT first, last, last_pos FROM chats WHERE id = ?")?
            .query_row([chat], |row| Ok((seq(row, 0)?.0, seq(row, 1)?.0, pos(row, 2)?)))?;
        if first > last || last_pos <= at {
            return Ok(None);
        }
        let mut place = self.db.prepare_cached("SELECT pos FROM log WHERE chat = ? AND seq = ?")?;
        let (mut low, mut high) = (first, last);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = place.query_row([chat, int(middle)], |row| pos(row, 0)).optional()?;
            match found {
                Some(pos) if pos > at => high = middle,
                _ => low = middle + 1,
            }
        }
        Ok(Some(Seq(low)))
    }

    fn next_receipt(&self, chat: i64, reader: i64, at: Pos) -> rusqlite::Result<Option<Pos>> {
        self.smallest(
            "SELECT min(pos) FROM receipts WHERE chat = ? AND device <> ? AND pos > ?",
            &[chat, reader, int(at.0)],
        )
    }

    fn next_addressed(&self, reader: i64, at: Pos) -> rusqlite::Result<Option<Pos>> {
        self.smallest("SELECT min(pos) FROM addressees WHERE device = ? AND pos > ?", &[reader, int(at.0)])
    }

    fn smallest(&self, query: &str, values: &[i64]) -> rusqlite::Result<Option<Pos>> {
        let found: Option<i64> =
            self.db.prepare_cached(query)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
        Ok(found.map(|value| Pos(uint(value))))
    }
}

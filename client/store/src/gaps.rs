//! Gaps: places of a chat that this device cannot show, and why. Some are filled later.

use crate::chats::ChatRow;
use crate::history::PageCursor;
use crate::{Result, StoreError, Tx};
use rusqlite::{Row, params};

/// Why something cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The relay no longer holds it.
    Expired,
    /// It could not be decrypted or judged valid.
    Unreadable,
    /// Sent from this device, but lost with an older copy of its database.
    OwnLost,
    /// Of a kind this version does not know.
    TooNew,
    /// Written by somebody who may not write there.
    NotAllowed,
}

impl Why {
    fn code(self) -> i64 {
        match self {
            Self::Expired => 0,
            Self::Unreadable => 1,
            Self::OwnLost => 2,
            Self::TooNew => 3,
            Self::NotAllowed => 4,
        }
    }

    fn from_code(code: i64) -> Result<Self> {
        Ok(match code {
            0 => Self::Expired,
            1 => Self::Unreadable,
            2 => Self::OwnLost,
            3 => Self::TooNew,
            4 => Self::NotAllowed,
            _ => return Err(StoreError::Row("gap")),
        })
    }

    /// For scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Unreadable => "unreadable",
            Self::OwnLost => "own_lost",
            Self::TooNew => "too_new",
            Self::NotAllowed => "not_allowed",
        }
    }

    /// For people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Expired => "no longer held by the relay",
            Self::Unreadable => "could not be read on this device; asked for again if possible",
            Self::OwnLost => "sent from this device, but missing from the older copy it was restored from",
            Self::TooNew => "of a kind this version of aside does not know; update aside",
            Self::NotAllowed => "written by somebody who may not write in this channel; it does not count",
        }
    }
}

/// Neighbouring places that cannot be shown for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// First place.
    pub first: u64,
    /// Last place.
    pub last: u64,
    /// Why.
    pub why: Why,
}

fn read(row: &Row) -> Result<Gap> {
    Ok(Gap { first: row.get("first")?, last: row.get("last")?, why: Why::from_code(row.get("why")?)? })
}

impl Tx<'_> {
    /// Adds places that cannot be shown; joins a gap that ends right before for the same reason.
    pub fn add_gap(&self, chat: ChatRow, gap: Gap) -> Result<()> {
        let joined = self.run(
            "UPDATE gaps SET last = ? WHERE chat = ? AND last = ? AND why = ?",
            params![gap.last, chat, gap.first.saturating_sub(1), gap.why.code()],
        )?;
        if joined == 0 {
            self.run(
                "INSERT OR REPLACE INTO gaps (chat, first, last, why) VALUES (?, ?, ?, ?)",
                params![chat, gap.first, gap.last, gap.why.code()],
            )?;
        }
        Ok(())
    }

    /// One place can be shown after all; says whether it was in a gap.
    pub fn fill_gap(&self, chat: ChatRow, place: u64) -> Result<bool> {
        let around = "SELECT * FROM gaps WHERE chat = ? AND first <= ? AND last >= ?";
        let Some(gap) = self.one(around, params![chat, place, place], read)? else { return Ok(false) };
        self.run("DELETE FROM gaps WHERE chat = ? AND first = ?", params![chat, gap.first])?;
        let parts = [Gap { last: place.saturating_sub(1), ..gap }, Gap { first: place + 1, ..gap }];
        for part in parts.into_iter().filter(|part| part.first <= part.last) {
            self.run(
                "INSERT INTO gaps (chat, first, last, why) VALUES (?, ?, ?, ?)",
                params![chat, part.first, part.last, part.why.code()],
            )?;
        }
        Ok(true)
    }

    /// The newest gaps of a chat, oldest of them first.
    pub fn gaps(&self, chat: ChatRow, limit: u32) -> Result<Vec<Gap>> {
        let mut gaps = self.gaps_before(chat, PageCursor::NEWEST, limit)?;
        gaps.reverse();
        Ok(gaps)
    }

    pub(crate) fn gaps_before(&self, chat: ChatRow, before: PageCursor, limit: u32) -> Result<Vec<Gap>> {
        self.all(
            "SELECT * FROM gaps WHERE chat = ?1 AND first <= ?2 AND (first < ?2 OR 0 < ?3) ORDER BY first DESC LIMIT ?4",
            params![chat, before.place, before.row, limit],
            read,
        )
    }

    /// Gaps that begin at a cursor or after it, oldest first.
    pub(crate) fn gaps_from(&self, chat: ChatRow, from: PageCursor, limit: u32) -> Result<Vec<Gap>> {
        self.all(
            "SELECT * FROM gaps WHERE chat = ?1 AND first >= ?2 AND (first > ?2 OR 0 >= ?3) ORDER BY first LIMIT ?4",
            params![chat, from.place, from.row, limit],
            read,
        )
    }
}

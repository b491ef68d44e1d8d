//! What an account, or a device in a chat, may do only so often in an hour.

use crate::error::Stop;
use crate::sql::{int, millis, uint};
use crate::step::Step;
use aside_protocol::limits::{
    JOIN_REQUESTS_PER_HOUR, KEY_PACKAGE_FETCHES_PER_HOUR, LEAVES_PER_HOUR, REJOINS_PER_HOUR, ROUTES_PER_HOUR,
};
use aside_protocol::refusal::RetryAfter;
use aside_protocol::{Millis, Refusal};
use rusqlite::OptionalExtension;

/// The window of the limits, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// What is counted, and for whom: inner ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// An account's fetches of key packages (rule `KEY-2`).
    Fetches(i64),
    /// An account's requests to join a chat (rule `JOI-3`).
    Joins(i64),
    /// A device's requests to be added again to a chat (rule `CHT-8`).
    Rejoins { device: i64, chat: i64 },
    /// A device's requests to leave a chat (rule `LEA-1`).
    Leaves { device: i64, chat: i64 },
    /// What a device undoes in a chat that is not routed to it (rule `CHT-6`).
    Routes { device: i64, chat: i64 },
}

/// The hour so far.
pub(crate) struct Hour {
    rate: Rate,
    since: Millis,
    count: u64,
}

impl Rate {
    /// What stands in the table: what is counted, who, and in which chat, 0 for none.
    fn key(self) -> [i64; 3] {
        match self {
            Self::Fetches(account) => [0, account, 0],
            Self::Joins(account) => [1, account, 0],
            Self::Rejoins { device, chat } => [2, device, chat],
            Self::Leaves { device, chat } => [3, device, chat],
            Self::Routes { device, chat } => [4, device, chat],
        }
    }

    fn most(self) -> u64 {
        match self {
            Self::Fetches(_) => KEY_PACKAGE_FETCHES_PER_HOUR,
            Self::Joins(_) => JOIN_REQUESTS_PER_HOUR,
            Self::Rejoins { .. } => REJOINS_PER_HOUR,
            Self::Leaves { .. } => LEAVES_PER_HOUR,
            Self::Routes { .. } => ROUTES_PER_HOUR,
        }
    }

    /// The present hour, or a refusal when it is used up.
    pub(crate) fn check(self, step: &Step<'_>) -> Result<Hour, Stop> {
        let (since, count) = step
            .db
            .prepare_cached("SELECT since, count FROM rates WHERE what = ? AND who = ? AND chat = ?")?
            .query_row(self.key(), |row| Ok((millis(row, 0)?, uint(row.get(1)?))))
            .optional()?
            .unwrap_or((step.now, 0));
        let ends = since.0.saturating_add(HOUR_MS);
        if step.now.0 >= ends {
            return Ok(Hour { rate: self, since: step.now, count: 0 });
        }
        if count >= self.most() {
            return Err(Refusal::RateLimited(RetryAfter { retry_after_ms: ends - step.now.0 }).into());
        }
        Ok(Hour { rate: self, since, count })
    }
}

impl Hour {
    /// Counts one more.
    pub(crate) fn take(&self, step: &Step<'_>) -> rusqlite::Result<()> {
        let [what, who, chat] = self.rate.key();
        step.db
            .prepare_cached("INSERT OR REPLACE INTO rates (what, who, chat, since, count) VALUES (?, ?, ?, ?, ?)")?
            .execute([what, who, chat, int(self.since.0), int(self.count + 1)])?;
        Ok(())
    }
}

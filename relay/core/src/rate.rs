//! What an account may do only so often in an hour.

use crate::error::Stop;
use crate::sql::{int, millis, uint};
use crate::step::Step;
use aside_protocol::refusal::RetryAfter;
use aside_protocol::{Millis, Refusal};
use rusqlite::OptionalExtension;

/// The window of the limits, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// Fetches of key packages (rule `KEY-2`).
    Fetches,
    /// Requests to join a chat (rule `JOI-3`).
    Joins,
}

/// An account's hour so far.
pub(crate) struct Hour {
    rate: Rate,
    account: i64,
    since: Millis,
    count: u64,
}

impl Rate {
    fn table(self) -> &'static str {
        match self {
            Self::Fetches => "fetch_rates",
            Self::Joins => "join_rates",
        }
    }

    /// The account's present hour, or a refusal when it has used up its `most`.
    pub(crate) fn check(self, step: &Step<'_>, account: i64, most: u64) -> Result<Hour, Stop> {
        let (since, count) = step
            .db
            .prepare_cached(&format!("SELECT since, count FROM {} WHERE account = ?", self.table()))?
            .query_row([account], |row| Ok((millis(row, 0)?, uint(row.get(1)?))))
            .optional()?
            .unwrap_or((step.now, 0));
        let ends = since.0.saturating_add(HOUR_MS);
        if step.now.0 >= ends {
            return Ok(Hour { rate: self, account, since: step.now, count: 0 });
        }
        if count >= most {
            return Err(Refusal::RateLimited(RetryAfter { retry_after_ms: ends - step.now.0 }).into());
        }
        Ok(Hour { rate: self, account, since, count })
    }
}

impl Hour {
    /// Counts one more.
    pub(crate) fn take(&self, step: &Step<'_>) -> rusqlite::Result<()> {
        let insert = format!(
            "INSERT INTO {} VALUES (?1, ?2, ?3) ON CONFLICT (account) DO UPDATE SET since = ?2, count = ?3",
            self.rate.table()
        );
        step.db.prepare_cached(&insert)?.execute([self.account, int(self.since.0), int(self.count + 1)])?;
        Ok(())
    }
}

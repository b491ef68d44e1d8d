//! Chats: their row, and one file for each thing that can be done to them (rules `CHT-*`, `RCP-*`, `REJ-*`).

mod commit;
mod dedup;
mod found;
mod group;
mod join;
mod lapse;
mod leave;
mod left_out;
mod log;
mod members;
mod receipt;
mod rejoin;
mod route;
mod send;
mod undo;

pub(crate) use commit::commit;
pub(crate) use dedup::keep_answers;
pub(crate) use found::found;
pub(crate) use join::join;
pub(crate) use lapse::lapse;
pub(crate) use leave::leave;
pub(crate) use receipt::receipt;
pub(crate) use rejoin::rejoin;
pub(crate) use route::route;
pub(crate) use send::send;

use crate::error::Stop;
use crate::sql::{hash, int, millis, seq, uint};
use crate::step::Step;
use aside_protocol::refusal::Plain;
use aside_protocol::{ChatId, Hash, Millis, Pos, Refusal, Seq};
use rusqlite::{OptionalExtension, params};
use undo::{Run, Standing};

/// A chat as commands need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChatRow {
    id: i64,
    chat: ChatId,
    /// Inner ids of the two accounts of a direct chat; none of a group or channel.
    accounts: Option<(i64, i64)>,
    incarnation: u64,
    /// `seq` of the last commit or founding.
    base: Seq,
    /// Last `seq` given.
    last: Seq,
    /// What can be undone.
    run: Run,
    founder: i64,
    founding: (Seq, Millis, Hash),
    /// Whether its log holds anything, for retention.
    held: bool,
}

impl ChatRow {
    /// Takes it out of the cache, so that what a handler changes is read from the database next time; a handler that
    /// changes nothing but [`ChatRow::save_last`] puts it back with [`ChatRow::keep`].
    fn load(step: &mut Step<'_>, chat: &ChatId) -> rusqlite::Result<Option<Self>> {
        if let Some(row) = step.cache.take_chat(chat) {
            return Ok(Some(row));
        }
        step.db
            .prepare_cached(
                "SELECT id, one, other, incarnation, base, last, run_from, founder, founding_seq, founding_time,
                     founding_hash, held, direct, run_account
                 FROM chats WHERE chat = ?",
            )?
            .query_row([chat.0], |row| {
                Ok(Self {
                    id: row.get(0)?,
                    chat: *chat,
                    accounts: row.get::<_, bool>(12)?.then_some((row.get(1)?, row.get(2)?)),
                    incarnation: uint(row.get(3)?),
                    base: seq(row, 4)?,
                    last: seq(row, 5)?,
                    run: Run { from: seq(row, 6)?, account: row.get(13)? },
                    founder: row.get(7)?,
                    founding: (seq(row, 8)?, millis(row, 9)?, hash(row, 10)?),
                    held: row.get(11)?,
                })
            })
            .optional()
    }

    /// Keeps it for the next command.
    fn keep(self, step: &mut Step<'_>) {
        step.cache.keep_chat(self.chat, self);
    }

    /// A chat that must exist. Who is not in it does not learn whether it does.
    fn known(step: &mut Step<'_>, chat: &ChatId) -> Result<Self, Stop> {
        Self::load(step, chat)?.ok_or_else(not_member)
    }

    /// Creates the row of a chat that is about to be founded for the first time.
    fn create(step: &Step<'_>, chat: &ChatId, accounts: Option<(i64, i64)>, founder: i64) -> rusqlite::Result<Self> {
        let (one, other) = accounts.unwrap_or_default();
        let id = step
            .db
            .prepare_cached(
                "INSERT INTO chats (chat, one, other, incarnation, base, first, last, last_pos, receipt_pos, run_from,
                     founder, founding_seq, founding_time, founding_hash, direct)
                 VALUES (?, ?, ?, 0, 0, 1, 0, 0, 0, 1, ?, 0, 0, x'', ?)",
            )?
            .insert(params![chat.0, one, other, founder, accounts.is_some()])?;
        let founding = (Seq(0), Millis(0), Hash([0; 32]));
        let (base, last, run, held) = (Seq(0), Seq(0), Run::NONE, false);
        Ok(Self { id, chat: *chat, accounts, incarnation: 0, base, last, run, founder, founding, held })
    }

    /// Stores what a commit or founding at `self.base` changed.
    fn save_base(&self, step: &Step<'_>) -> rusqlite::Result<()> {
        step.db
            .prepare_cached("UPDATE chats SET base = ?, run_from = ?, run_account = ? WHERE id = ?")?
            .execute(params![int(self.base.0), int(self.run.from.0), self.run.account, self.id])?;
        Ok(())
    }

    /// The founding that stands.
    fn standing(&self) -> Standing {
        Standing { incarnation: self.incarnation, founder: self.founder, founding: self.founding }
    }

    /// Stores that another one stands.
    fn set_standing(&mut self, step: &Step<'_>, standing: &Standing) -> rusqlite::Result<()> {
        let Standing { incarnation, founder, founding: (seq, time, hash) } = *standing;
        (self.incarnation, self.founder, self.founding) = (incarnation, founder, standing.founding);
        step.db
            .prepare_cached(
                "UPDATE chats SET incarnation = ?, founder = ?, founding_seq = ?, founding_time = ?, founding_hash = ?
                 WHERE id = ?",
            )?
            .execute(params![int(incarnation), founder, int(seq.0), int(time.0), hash.0, self.id])?;
        Ok(())
    }

    /// Notes that the chat's newest chat-wide envelope stands at `pos`.
    fn save_last(&mut self, step: &Step<'_>, pos: Pos) -> rusqlite::Result<()> {
        let values = [int(self.last.0), int(pos.0), self.id];
        step.db.prepare_cached("UPDATE chats SET last = ?, last_pos = ? WHERE id = ?")?.execute(values)?;
        if !std::mem::replace(&mut self.held, true) {
            step.db.prepare_cached("UPDATE chats SET held = 1 WHERE id = ?")?.execute([self.id])?;
        }
        Ok(())
    }
}

fn not_member() -> Stop {
    Refusal::NotMember(Plain {}).into()
}

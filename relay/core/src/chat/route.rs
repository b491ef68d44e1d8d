//! Undoing the routing change of a commit that the members refuse (rule `CHT-6`).

use super::dedup::Saved;
use super::{ChatRow, Undo, dedup, lapse, members, not_member};
use crate::By;
use crate::error::Stop;
use crate::step::{Step, invalid};
use aside_protocol::refusal::Stale;
use aside_protocol::request::{Answer, Done, Route};
use aside_protocol::{Pos, Refusal};

/// One device of the change.
struct Undone {
    device: i64,
    added: bool,
    /// Where its interval before the commit started, if it was routed and removed.
    start: Option<i64>,
    saved: Saved,
    /// Whether its membership had lapsed before it was added.
    lapsed: bool,
}

/// Restores routing, intervals and counters. The commit keeps its `seq` and stays the base. Asked twice, done once.
pub(crate) fn route(step: &mut Step<'_>, by: &By, request: &Route) -> Result<Answer, Stop> {
    let asker = step.asker(by)?;
    let chat = ChatRow::known(step, &request.chat)?;
    let undo = load(step, chat.id)?;
    let routed = members::is_routed(&members::routes(step, &chat)?, asker.id);
    if !was_routed(&undo, asker.id, routed) {
        return Err(not_member());
    }
    if request.refused != chat.base {
        return Err(Refusal::Stale(Stale { base: chat.base }).into());
    }
    match chat.undo {
        Undo::None => Err(invalid()),
        Undo::Done => Ok(Answer::Done(Done::default())),
        Undo::Open => {
            restore(step, chat.id, undo)?;
            chat.save_base(step, Undo::Done)?;
            Ok(Answer::Done(Done::default()))
        }
    }
}

/// Whether a device was routed before the last commit: it was removed by it, or is routed and not added by it.
fn was_routed(undo: &[Undone], device: i64, routed: bool) -> bool {
    match undo.iter().find(|row| row.device == device) {
        Some(row) => row.start.is_some(),
        None => routed,
    }
}

fn restore(step: &mut Step<'_>, chat: i64, undo: Vec<Undone>) -> Result<(), Stop> {
    for row in undo {
        if row.added {
            members::cancel(step, chat, row.device)?;
            lapse::forget(step, chat, row.device)?;
            dedup::restore(step, chat, row.device, row.saved)?;
        }
        if let Some(start) = row.start {
            lapse::restore(step, chat, row.device, Pos(crate::sql::uint(start)))?;
        }
        if row.lapsed {
            lapse::remember(step, chat, row.device)?;
        }
    }
    members::count_routes(step, chat)?;
    step.db.prepare_cached("DELETE FROM undo WHERE chat = ?")?.execute([chat])?;
    Ok(())
}

fn load(step: &Step<'_>, chat: i64) -> rusqlite::Result<Vec<Undone>> {
    step.db
        .prepare_cached("SELECT device, added, start, n, answers, lapsed FROM undo WHERE chat = ? ORDER BY device")?
        .query_map([chat], |row| {
            let answers = row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default();
            let saved = (row.get(3)?, answers);
            Ok(Undone { device: row.get(0)?, added: row.get(1)?, start: row.get(2)?, saved, lapsed: row.get(5)? })
        })?
        .collect()
}

//! What a partition other than the directory knows of accounts and devices: the directory's device list versions, each
//! under its number, in their order.

use crate::account::{find, insert, reopen, revoke_missing, store_list};
use crate::command::Change;
use crate::error::Stop;
use crate::sql::{int, uint};
use crate::step::{Step, invalid};
use aside_protocol::AccountId;
use aside_protocol::device_list::VerifiedList;
use aside_protocol::request::{Answer, Done};

/// Takes over what is new of these changes. The directory has verified the lists.
pub(crate) fn learn(step: &mut Step<'_>, changes: &[Change]) -> Result<Answer, Stop> {
    for (change, verified) in fresh(step, changes)? {
        let account = match find(step, &verified.list.account)? {
            Some(row) => row.id,
            None => insert(step, &verified.list.account, &change.name, &change.root)?,
        };
        revoke_missing(step, account, &verified.list)?;
        store_list(step, account, &verified, &change.list, change.number)?;
        step.db.prepare_cached("UPDATE relay SET learned = ?")?.execute([int(change.number)])?;
    }
    // Who is revoked is told once, where the directory is applied.
    step.revoked.clear();
    Ok(Answer::Done(Done::default()))
}

/// Those that are not learned yet, opened; refuses a gap before any of them, and what is no list of its account.
fn fresh<'a>(step: &Step<'_>, changes: &'a [Change]) -> Result<Vec<(&'a Change, VerifiedList)>, Stop> {
    let mut last =
        step.db.prepare_cached("SELECT learned FROM relay")?.query_row([], |row| row.get::<_, i64>(0)).map(uint)?;
    let mut fresh = Vec::with_capacity(changes.len());
    for change in changes.iter() {
        if change.number <= last {
            continue;
        }
        let verified = reopen(&change.list).filter(|verified| verified.list.account == AccountId::of(&change.root));
        match verified {
            Some(verified) if change.number == last + 1 => fresh.push((change, verified)),
            _ => return Err(invalid()),
        }
        last = change.number;
    }
    Ok(fresh)
}

//! What a partition other than the directory knows of accounts and devices: the directory's device list versions, each
//! under its number, in their order.

use crate::account::{current, find, insert, reopen, revoke_missing, store_list};
use crate::command::Change;
use crate::error::Stop;
use crate::sql::{int, uint};
use crate::step::{Step, invalid};
use aside_protocol::AccountId;
use aside_protocol::device_list::VerifiedList;
use aside_protocol::request::{Answer, Done};

/// Letters of what stands for a name: as many as a name has at most.
const NAME: usize = 32;

/// Takes over what is new of these changes. The directory has verified the lists.
pub(crate) fn learn(step: &mut Step<'_>, changes: &[Change]) -> Result<Answer, Stop> {
    for (change, verified) in fresh(step, changes)? {
        let account = match find(step, &verified.list.account)? {
            Some(row) => row.id,
            None => insert(step, &verified.list.account, &name_of(&verified.list.account), &change.root)?,
        };
        // A partition that has left a log learns again what it knows.
        let standing = current(step, account)?;
        if standing.is_none_or(|(standing, _)| standing.list.version < verified.list.version) {
            revoke_missing(step, account, &verified.list)?;
            store_list(step, account, &verified, &change.list, change.number)?;
        }
        step.db.prepare_cached("UPDATE relay SET learned = ?")?.execute([int(change.number)])?;
    }
    // Who is revoked is told once, where the directory is applied.
    step.revoked.clear();
    Ok(Answer::Done(Done::default()))
}

/// What stands for a name here: names are the directory's, and one that it lost must stand in nobody's way.
fn name_of(account: &AccountId) -> String {
    account.to_hex().chars().take(NAME).collect()
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

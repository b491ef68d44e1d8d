//! What a commit does to one account: its leaves, its list, its role (rule `GRP-6`).

use super::evidence::{Proved, asked_again, asked_to_join, asked_to_leave};
use super::{Case, Why};
use aside_crypto::Leaf;
use aside_protocol::group::{ChatKind, Role, RosterEntry};
use aside_protocol::{AccountId, Body};

/// An account's leaves before and in the commit.
struct Leaves<'a> {
    before: Vec<&'a Leaf>,
    removed: Vec<&'a Leaf>,
    added: Vec<&'a (Leaf, Body)>,
}

impl Leaves<'_> {
    fn after(&self) -> usize {
        self.before.len() + self.added.len() - self.removed.len()
    }
}

/// The account's entry after the commit; none if it is not in the group then.
pub(super) fn judge(case: &Case<'_>, account: &AccountId) -> Result<Option<RosterEntry>, Why> {
    let before = case.before.leaves.iter().filter(|leaf| leaf.account == *account).collect();
    let removed = case.changes.removed.iter().filter(|leaf| leaf.account == *account).collect();
    let added = case.changes.added.iter().filter(|(leaf, _)| leaf.account == *account).collect();
    let leaves = Leaves { before, removed, added };
    let entry = match case.before.roster.get(account) {
        None if leaves.added.is_empty() => return Err("it names an account that is not there"),
        None => Some(comes(case, account, &leaves)?),
        Some(entry) if leaves.after() == 0 => goes(case, entry, &leaves).map(|()| None)?,
        Some(entry) => Some(stays(case, entry, &leaves)?),
    };
    match (entry, case.evidence.role(account)) {
        (entry, None) => Ok(entry),
        (Some(entry), Some(role)) if case.is_owner() => Ok(Some(RosterEntry { role, ..entry })),
        _ => Err("a role given by somebody who may not, or to nobody"),
    }
}

/// An account is added: by an admin with all its devices, or by its own request with one.
fn comes(case: &Case<'_>, account: &AccountId, leaves: &Leaves<'_>) -> Result<RosterEntry, Why> {
    let proved = case.evidence.list(account).ok_or("an account is added without its device list")?;
    are_listed(leaves, proved)?;
    let whole = leaves.added.len() == proved.list.list.devices.len();
    let by_admin = case.is_admin() && whole;
    if !by_admin && !joins(case, account, leaves) {
        return Err("an account is added by somebody who may not, or not with all its devices");
    }
    let (version, hash) = (proved.list.list.version, proved.list.hash);
    Ok(RosterEntry { account: *account, role: Role::Member, version, hash, since: case.before.epoch + 1 })
}

/// Whether the one device that is added has asked for it by the channel's link.
fn joins(case: &Case<'_>, account: &AccountId, leaves: &Leaves<'_>) -> bool {
    let link = case.before.terms.state.as_ref().and_then(|state| state.join);
    let ([(leaf, package)], Some(link)) = (leaves.added.as_slice(), link) else { return false };
    case.kind() == ChatKind::Channel
        && case.evidence.joins().any(|(request, signed)| {
            request.chat == case.before.terms.context.chat
                && AccountId::of(&request.account.root) == *account
                && request.device == leaf.device
                && request.key_package == *package
                && asked_to_join(signed, &link, &leaf.key)
        })
}

/// All leaves of an account are removed: because it asked, by somebody who may, or because its list names none of them any
/// more.
fn goes(case: &Case<'_>, entry: &RosterEntry, leaves: &Leaves<'_>) -> Result<(), Why> {
    let may = match entry.role {
        Role::Member => case.is_admin(),
        _ => case.is_owner(),
    };
    if may || left(case, entry) || is_unlisted(case, entry, leaves)? {
        Ok(())
    } else {
        Err("an account is removed by somebody who may not")
    }
}

/// Whether a device list that continues the one the group knows names none of the account's leaves.
fn is_unlisted(case: &Case<'_>, entry: &RosterEntry, leaves: &Leaves<'_>) -> Result<bool, Why> {
    let Some(proved) = case.evidence.list(&entry.account).filter(|_| !case.is_direct()) else { return Ok(false) };
    follows(entry, proved)?;
    Ok(leaves.before.iter().all(|leaf| proved.list.list.device(&leaf.device).is_none()))
}

/// Whether a device of the account has asked for it. Devices are known by their leaves here.
fn left(case: &Case<'_>, entry: &RosterEntry) -> bool {
    let context = &case.before.terms.context;
    !case.is_direct()
        && case.evidence.leaves().any(|(request, signed)| {
            let by = |leaf: &&Leaf| leaf.account == entry.account && leaf.device == request.device;
            let leaf = case.before.leaves.iter().find(by);
            (request.chat, request.incarnation) == (context.chat, context.incarnation)
                && (request.account, request.since) == (entry.account, entry.since)
                && leaf.is_some_and(|leaf| asked_to_leave(signed, &leaf.key))
        })
}

/// An account stays: its leaves follow its list, or a device is added again that asked for it.
fn stays(case: &Case<'_>, entry: &RosterEntry, leaves: &Leaves<'_>) -> Result<RosterEntry, Why> {
    let proved = case.evidence.list(&entry.account);
    if let Some(proved) = proved {
        follows(entry, proved)?;
    }
    if leaves.removed.is_empty() && leaves.added.is_empty() && proved.is_none() {
        return Ok(*entry);
    }
    let proved = proved.ok_or("leaves change without their account's device list")?;
    are_listed(leaves, proved)?;
    let gone = |leaf: &&Leaf| proved.list.list.device(&leaf.device).is_none();
    let wanted = |leaf: &&Leaf| gone(leaf) || rejoins(case, leaf, leaves);
    if !leaves.removed.iter().all(wanted) {
        return Err("a device is removed that its account's list names, and that did not ask for it");
    }
    let (version, hash) = (proved.list.list.version, proved.list.hash);
    Ok(RosterEntry { version, hash, ..*entry })
}

/// A list replaces the one the group knows only if it continues it.
fn follows(entry: &RosterEntry, proved: &Proved) -> Result<(), Why> {
    let at = usize::try_from(entry.version).ok().and_then(|version| version.checked_sub(1));
    match at.and_then(|at| proved.hashes.get(at)) {
        Some(hash) if *hash == entry.hash => Ok(()),
        _ => Err("a device list that does not continue the one the group knows"),
    }
}

/// Every leaf that is added is a device of the list, with its key and its root.
fn are_listed(leaves: &Leaves<'_>, proved: &Proved) -> Result<(), Why> {
    let listed = |leaf: &Leaf| {
        leaf.root == proved.root && proved.list.list.device(&leaf.device).is_some_and(|entry| entry.key == leaf.key)
    };
    let all = leaves.added.iter().all(|(leaf, _)| listed(leaf));
    if all { Ok(()) } else { Err("a leaf is added that its account's list does not name") }
}

/// Whether a removed device is added again by the key package in its own signed request.
fn rejoins(case: &Case<'_>, removed: &Leaf, leaves: &Leaves<'_>) -> bool {
    leaves.added.iter().filter(|(leaf, _)| leaf.device == removed.device).any(|(leaf, package)| {
        case.evidence.rejoins().any(|(request, signed)| {
            request.chat == case.before.terms.context.chat
                && request.device == leaf.device
                && request.key_package == *package
                && asked_again(request, signed, &leaf.key)
        })
    })
}

//! Whether the accounts and devices of a group fit together, for a device that is to join it.

use super::{Undo, direct_roster, is_between};
use crate::roster::Proved;
use crate::rules::{Chain, is_title, prove_all};
use crate::step::Step;
use aside_crypto::{Leaf, Staged};
use aside_protocol::device_list::VerifiedList;
use aside_protocol::group::{Pack, Role, Roster, RosterEntry};
use aside_protocol::{AccountId, ChatId, Hash};
use aside_store::chats::Chat;
use std::collections::BTreeMap;

/// A direct chat: its two accounts, with lists that this device has looked up (rule `CHT-5`).
pub(super) fn direct(step: &Step, chat: &Chat, staged: &Staged) -> Result<Roster, Undo> {
    let context = &staged.terms().context;
    let accounts: Vec<AccountId> = context.accounts.iter().map(|state| state.account).collect();
    if !is_between(&chat.chat, &accounts) || !accounts.contains(&step.account) {
        return Err(Undo::Misfit);
    }
    let roster = direct_roster(staged.terms());
    for entry in &roster.entries {
        let known = step.tx.account(&entry.account)?.ok_or(Undo::Unknown(entry.account))?.list;
        if entry.version > known.list.version && !step.link.fresh.contains(&entry.account) {
            return Err(Undo::Unknown(entry.account));
        }
        if entry.version > known.list.version || (entry.version == known.list.version && entry.hash != known.hash) {
            return Err(Undo::Misfit);
        }
    }
    for leaf in staged.roster() {
        is_known(step, leaf, &roster)?;
    }
    Ok(roster)
}

/// A leaf of a direct chat: named by the list known here. One that a newer list has lost is removed once this device is in;
/// one that a newer list names is asked for.
fn is_known(step: &Step, leaf: &Leaf, roster: &Roster) -> Result<(), Undo> {
    let entry = roster.get(&leaf.account).ok_or(Undo::Misfit)?;
    let known = step.tx.account(&leaf.account)?.ok_or(Undo::Unknown(leaf.account))?;
    let listed = known.list.list.device(&leaf.device).is_some_and(|device| device.key == leaf.key);
    if known.root != leaf.root {
        return Err(Undo::Misfit);
    }
    match listed || (entry.version < known.list.list.version && was_listed(step, leaf, entry)?) {
        true => Ok(()),
        false if !step.link.fresh.contains(&leaf.account) => Err(Undo::Unknown(leaf.account)),
        false => Err(Undo::Misfit),
    }
}

/// Whether the list that the group knows named the leaf.
fn was_listed(step: &Step, leaf: &Leaf, entry: &RosterEntry) -> Result<bool, Undo> {
    let length = usize::try_from(entry.version).unwrap_or(0);
    let mut lists = step.tx.lists(&leaf.account)?;
    lists.truncate(length);
    let list = aside_protocol::device_list::verify_chain(&leaf.root, None, &lists).ok().flatten();
    Ok(list.is_some_and(|list| names(&list, leaf)))
}

fn names(list: &VerifiedList, leaf: &Leaf) -> bool {
    list.list.device(&leaf.device).is_some_and(|device| device.key == leaf.key)
}

/// A group or channel: everything is proved by its pack (rule `GRP-4`).
pub(super) fn group(step: &Step, chat: &Chat, staged: &Staged) -> Result<(Roster, Vec<Proved>), Undo> {
    let (Some(state), Some(pack)) = (&staged.terms().state, staged.pack()) else { return Err(Undo::Misfit) };
    let origin = &state.origin;
    let fits = ChatId::group(&origin.account, &origin.nonce) == chat.chat
        && staged.terms().context.accounts.is_empty()
        && pack.roster.is_sorted()
        && pack.roster.hash() == state.roster
        && pack.roster.get(&step.account).is_some()
        && is_title(&state.title);
    if !fits || !may_found(step, chat, staged)? {
        return Err(Undo::Misfit);
    }
    let proved = prove(pack).ok_or(Undo::Misfit)?;
    for (_, list, hashes, _) in proved.values() {
        continues(step, list, hashes)?;
    }
    if !leaves_fit(staged.roster(), &pack.roster, &proved) {
        return Err(Undo::Misfit);
    }
    let learned = proved.into_values().map(|(root, list, _, lists)| (root, list, lists)).collect();
    Ok((pack.roster.clone(), learned))
}

/// Into another group than the one this device knew, of which it knows the roles, only somebody who had one may lead:
/// whoever founds a group decides who is in it.
fn may_found(step: &Step, chat: &Chat, staged: &Staged) -> Result<bool, Undo> {
    let another = chat.known.as_ref().is_some_and(|(_, group)| *group != staged.group_id());
    let role = step.role_of(chat, &staged.from().account)?;
    Ok(!another || step.tx.member_count(chat.row)? == 0 || matches!(role, Some(Role::Admin | Role::Owner)))
}

/// Each entry of the roster with the chain that ends in its list.
fn prove(pack: &Pack) -> Option<BTreeMap<AccountId, Chain>> {
    let mut chains = prove_all(&pack.accounts)?;
    let mut proved = BTreeMap::new();
    for entry in &pack.roster.entries {
        let chain = chains.remove(&entry.account)?;
        if (chain.1.list.version, chain.1.hash) != (entry.version, entry.hash) {
            return None;
        }
        proved.insert(entry.account, chain);
    }
    Some(proved)
}

/// A chain must agree with what is known of the account here: otherwise it has two histories, and somebody lies.
fn continues(step: &Step, list: &VerifiedList, hashes: &[Hash]) -> Result<(), Undo> {
    let Some(known) = step.tx.account(&list.list.account)? else { return Ok(()) };
    let at = usize::try_from(known.list.list.version.min(list.list.version)).unwrap_or(0).checked_sub(1);
    let theirs = at.and_then(|at| hashes.get(at));
    let ours = match known.list.list.version <= list.list.version {
        true => Some(known.list.hash),
        false => older(step, &known, list.list.version)?,
    };
    match (theirs, ours) {
        (Some(theirs), Some(ours)) if *theirs == ours => Ok(()),
        // What was known before chains were kept cannot be compared; the relay is asked for the account anyway.
        (Some(_), None) => Ok(()),
        _ => Err(Undo::Misfit),
    }
}

fn older(step: &Step, known: &aside_store::accounts::Account, version: u64) -> Result<Option<Hash>, Undo> {
    let mut lists = step.tx.lists(&known.account)?;
    lists.truncate(usize::try_from(version).unwrap_or(0));
    let list = aside_protocol::device_list::verify_chain(&known.root, None, &lists).ok().flatten();
    Ok(list.map(|list| list.hash))
}

/// Every leaf is a device of the list its account's entry names, and each account has one.
fn leaves_fit(leaves: &[Leaf], roster: &Roster, proved: &BTreeMap<AccountId, Chain>) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    let listed = leaves.iter().all(|leaf| {
        seen.insert(leaf.account);
        proved.get(&leaf.account).is_some_and(|(root, list, ..)| *root == leaf.root && names(list, leaf))
    });
    listed && seen.len() == roster.entries.len()
}

//! Founding a chat: everybody looked up, key packages taken, one command to the relay (rules `CHT-2`, `CHT-7`).

use super::commits::{is_too_big, pack, welcome};
use super::drafts::{Draft, Room, are_coming, most_accounts, newcomer};
use super::postponing::{self, Tried};
use crate::error::{EngineError, Result};
use crate::packages::{Package, Packages, suite_of};
use crate::rules::{self, Change};
use crate::step::Step;
use aside_crypto::{CheckedKeyPackage, Terms};
use aside_protocol::content::Aad;
use aside_protocol::group::{AccountLists, AccountState, ChatContext, Evidence, GroupState, Role, Roster, RosterEntry};
use aside_protocol::request::{Found, Request};
use aside_protocol::{AccountId, Body, DeviceId, Hash, N, Refusal, codec};
use aside_store::accounts::Account;
use aside_store::chats::{Chat, ChatState};
use aside_store::outbox::Proposed;
use aside_store::tasks::TaskKind;
use std::collections::BTreeSet;

/// Shown when another account's device has no sound key package.
const NO_PACKAGE: &str = "A device of the other account has no usable key package; this is tried again.";

/// Takes the next step towards a group, if there is a reason to have one.
pub(super) fn advance(step: &mut Step, chat: &mut Chat) -> Result<()> {
    let wanted = step.tx.has_unsent(chat.row)? && chat.is_direct()
        || !step.tx.rejoins(chat.row)?.is_empty() && chat.is_direct()
        || step.tx.task(chat.row, TaskKind::Found, &[])?.is_some_and(|task| task.is_due(step.now));
    if !wanted {
        return Ok(());
    }
    let Some(own) = own_devices(step, chat)? else { return Ok(()) };
    if chat.is_direct() { direct(step, chat, own) } else { group(step, chat, own) }
}

/// Packages of the own account's other devices: they are in every chat from its beginning. Devices that have none ask to
/// be added later.
fn own_devices(step: &mut Step, chat: &Chat) -> Result<Option<Vec<Package>>> {
    let me = step.account;
    let own = step.tx.account(&me)?.map(|own| own.list.list.devices).unwrap_or_default();
    let others: Vec<DeviceId> = own.iter().map(|e| e.device).filter(|device| *device != step.me.device).collect();
    if others.is_empty() {
        return Ok(Some(Vec::new()));
    }
    Ok(match step.packages(&me, suite_of(chat.kind), &others)? {
        Packages::Waiting => None,
        Packages::Ready(packages) => Some(packages),
        // Alone one has nothing to say to oneself: a device just linked has its packages there in a moment.
        Packages::None if chat.peer == me => None,
        Packages::None => Some(Vec::new()),
    })
}

fn direct(step: &mut Step, chat: &mut Chat, own: Vec<Package>) -> Result<()> {
    let mut members = own;
    if chat.peer != step.account {
        let Some(peer) = step.fresh_account(&chat.peer)? else { return Ok(()) };
        let devices: Vec<_> = peer.list.list.devices.iter().map(|entry| entry.device).collect();
        match step.packages(&chat.peer, suite_of(chat.kind), &devices)? {
            Packages::Waiting => return Ok(()),
            Packages::None => return no_package(step, chat),
            Packages::Ready(packages) => members.extend(packages),
        }
    }
    let (Some(me), Some(peer)) = (step.tx.account(&step.account)?, step.tx.account(&chat.peer)?) else { return Ok(()) };
    let accounts = [&me, &peer].map(state_of).to_vec();
    let context = ChatContext { chat: chat.chat, kind: chat.kind, incarnation: chat.incarnation + 1, accounts };
    let devices = [&me, &peer].into_iter().flat_map(|a| a.list.list.devices.iter().map(|entry| entry.device));
    let mut routed: Vec<DeviceId> = devices.collect();
    routed.sort_unstable();
    routed.dedup();
    let change = rules::direct_roster(&context);
    let plan = Plan { terms: Terms { context, state: None }, members, routed, roster: change, draft: Draft::default() };
    found(step, chat, plan).map(drop)
}

/// Everybody who can be added now is in the group from its beginning; the rest is added once they can be.
fn group(step: &mut Step, chat: &mut Chat, own: Vec<Package>) -> Result<()> {
    let Some(origin) = chat.origin else { return Ok(()) };
    let me = step.account;
    let invited = invited(step, chat)?;
    if are_coming(step, chat, &invited) {
        return Ok(());
    }
    let mut room = Room::of(chat.kind, 1, 1 + own.len());
    let (most, mut members, mut chains) = (most_accounts(step, chat), own, Vec::new());
    for account in invited {
        if let Some((packages, chain)) = newcomer(step, chat, &account)?
            && chains.len() < most
            && room.takes(packages.len())
        {
            members.extend(packages);
            chains.push(chain);
        }
    }
    let Some(own_chain) = step.chain(&me, None)? else { return Ok(()) };
    chains.push(own_chain);
    let roster = roster(step, chat, &chains)?;
    let context =
        ChatContext { chat: chat.chat, kind: chat.kind, incarnation: chat.incarnation + 1, accounts: Vec::new() };
    let join = match step.tx.task(chat.row, TaskKind::Link, &[])? {
        Some(task) => aside_protocol::PublicKey::from_slice(&task.value),
        None => None,
    };
    let state = GroupState { title: chat.title.clone(), roster: roster.hash(), origin, join };
    let mut routed: Vec<DeviceId> = members.iter().map(|(package, _)| package.leaf().device).collect();
    routed.push(step.me.device);
    let evidence = chains.into_iter().map(Evidence::Lists).collect();
    let draft = Draft { evidence, ..Draft::default() };
    let kept = roster.clone();
    match found(step, chat, Plan { terms: Terms { context, state: Some(state) }, members, routed, roster, draft })? {
        true => add_left_out(step, chat, &kept),
        false => Ok(()),
    }
}

/// Who was in the group before, and cannot be founded with now, is added later and gets their role back.
fn add_left_out(step: &mut Step, chat: &Chat, roster: &Roster) -> Result<()> {
    for entry in step.tx.roster(chat.row)?.entries.into_iter().filter(|entry| roster.get(&entry.account).is_none()) {
        let subject = entry.account.as_ref();
        if step.is_going(chat, &entry.account)? {
            continue;
        }
        if step.tx.task(chat.row, TaskKind::Add, subject)?.is_none() {
            step.add_task(chat, TaskKind::Add, subject.to_vec(), Body::default(), step.now, false)?;
        }
        if entry.role != Role::Member && step.tx.task(chat.row, TaskKind::Role, subject)?.is_none() {
            let role = Body(codec::encode(&entry.role.code()));
            step.add_task(chat, TaskKind::Role, subject.to_vec(), role, step.now, false)?;
        }
    }
    Ok(())
}

/// Who is to be in the group besides the own account: those invited, and those who were in it before; nobody who waits.
fn invited(step: &Step, chat: &Chat) -> Result<Vec<AccountId>> {
    let tasks: Vec<_> = step.tx.tasks(chat.row)?.into_iter().filter(|task| task.kind == TaskKind::Add).collect();
    let later: BTreeSet<AccountId> =
        tasks.iter().filter(|task| !task.is_due(step.now)).filter_map(|task| task.account()).collect();
    let asked = tasks.iter().filter_map(|task| task.account());
    let before = step.tx.roster(chat.row)?.entries.into_iter().map(|entry| entry.account);
    let mut all: Vec<AccountId> =
        asked.chain(before).filter(|account| *account != step.account && !later.contains(account)).collect();
    all.sort_unstable();
    all.dedup();
    let mut staying = Vec::new();
    for account in all {
        if !step.is_going(chat, &account)? {
            staying.push(account);
        }
    }
    Ok(staying)
}

/// The first roster: the founder owns the group; who had a role before keeps it.
fn roster(step: &Step, chat: &Chat, chains: &[AccountLists]) -> Result<Roster> {
    let mut roster = Roster::default();
    for chain in chains {
        let account = AccountId::of(&chain.root);
        let Some(known) = step.tx.account(&account)? else { continue };
        let role = match step.role_of(chat, &account)? {
            Some(role) => role,
            None if account == step.account => Role::Owner,
            None => Role::Member,
        };
        let (version, hash) = (known.list.list.version, known.list.hash);
        roster.put(RosterEntry { account, role, version, hash, since: 1 });
    }
    Ok(roster)
}

/// A founding, ready to be made.
struct Plan {
    terms: Terms,
    members: Vec<Package>,
    routed: Vec<DeviceId>,
    roster: Roster,
    draft: Draft,
}

/// Makes the founding and stores it, unless the packages, each sound, do not fit into one group: their maker's fault. Says
/// whether it was made.
fn found(step: &mut Step, chat: &mut Chat, plan: Plan) -> Result<bool> {
    let pack = match plan.terms.state {
        None => None,
        Some(_) => match pack(step, &plan.roster, &plan.draft)? {
            Some(pack) => Some(pack),
            None => return Ok(false),
        },
    };
    let Plan { terms, members, routed, roster, .. } = plan;
    let aad = Aad { chat: chat.chat, n: N(1), base: chat.base };
    let (tx, group_id) = (step.tx, step.fresh());
    let packages: Vec<CheckedKeyPackage> = members.iter().map(|(package, _)| package.clone()).collect();
    let (group, made) = match tx.attempt(|| Ok(step.scope().found(&terms, pack, &packages, &aad, group_id)?)) {
        Ok(founded) => founded,
        Err(EngineError::Bug(_)) => return misfit(step, chat, &terms, &packages).map(|()| false),
        Err(error) => return Err(error),
    };
    if is_too_big(&made) {
        step.scope().delete(group)?;
        step.link.chat(chat.row).batch = (roster.entries.len() / 2).max(1);
        step.link.dirty.insert(chat.row);
        return Ok(false);
    }
    let added: Vec<DeviceId> = packages.iter().map(|package| package.leaf().device).collect();
    packages.iter().for_each(|package| step.spent(&package.leaf().account, suite_of(chat.kind)));
    // Only its founder could read a group's first commit, and has it.
    let body = if chat.is_direct() { made.commit } else { Body::from(Hash::of(&made.commit).0.to_vec()) };
    let hash = Hash::of(&body);
    let request = Request::Found(Found {
        chat: chat.chat,
        accounts: terms.context.accounts.iter().map(|state| state.account).collect(),
        incarnation: terms.context.incarnation,
        devices: routed,
        body,
        welcome: welcome(step, &added, made.welcome)?,
        origin: terms.state.map(|state| state.origin),
    });
    let change = Change { put: roster.entries, gone: Vec::new() };
    step.tx.save_proposed(&Proposed {
        chat: chat.row,
        founding: true,
        n: N(1),
        hash,
        request,
        group: Some(group.id()),
        sent: false,
        change: Some(Body(codec::encode(&change))),
    })?;
    chat.enter(ChatState::Founding, step.now);
    step.link.dirty.insert(chat.row);
    Ok(true)
}

/// Of packages that do not fit into one group the first that does not go with those before it is left out: a group is
/// founded without its account, a direct chat once there are others.
fn misfit(step: &mut Step, chat: &Chat, terms: &Terms, packages: &[CheckedKeyPackage]) -> Result<()> {
    let suite = suite_of(chat.kind);
    if chat.is_direct() {
        packages.iter().for_each(|package| step.unfit(&package.leaf().account, suite));
        return no_package(step, chat);
    }
    let fails = |count: usize| {
        let beginning = packages.get(..count).unwrap_or_default();
        let (tx, id, aad) = (step.tx, step.fresh(), Aad { chat: chat.chat, n: N(1), base: chat.base });
        let tried = tx.attempt(|| {
            Err(Tried::of(step.scope().found(terms, None, beginning, &aad, id).map_err(EngineError::from)))
        });
        Tried::fits(tried).map(|fits| !fits)
    };
    let at = postponing::culprit(packages.len(), fails)?;
    match at.and_then(|at| packages.get(at)).map(|package| package.leaf().account) {
        // Own devices are let in later.
        Some(account) if account == step.account => step.unfit(&account, suite),
        Some(account) => postponing::postpone_add(step, chat, &account)?,
        None => return no_package(step, chat),
    }
    step.link.dirty.insert(chat.row);
    Ok(())
}

/// Says once that there is nobody to found with yet, and tries again later.
fn no_package(step: &mut Step, chat: &Chat) -> Result<()> {
    if step.link.chat(chat.row).patience == 0 {
        step.notice(chat, NO_PACKAGE)?;
    }
    step.pause(chat.row, &Refusal::NoKeyPackage(Default::default()));
    Ok(())
}

fn state_of(account: &Account) -> AccountState {
    AccountState { account: account.account, version: account.list.list.version, hash: account.list.hash }
}

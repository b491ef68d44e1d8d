//! Which change of a chat is due, and what it consists of. Looks at the tables; what is missing is asked for, and the
//! change waits.

use super::postponing;
use crate::error::Result;
use crate::packages::{Package, Packages, suite_of};
use crate::rules::{asked_to_join, asked_to_leave, open_join};
use crate::step::Step;
use aside_crypto::Leaf;
use aside_protocol::group::{AccountLists, ChatKind, Evidence, LeaveRequest, Role, RoleChange, Roster, SignedLeave};
use aside_protocol::limits::{CHANNEL_DEVICES, GROUP_ACCOUNTS, GROUP_DEVICES};
use aside_protocol::rejoin::{self, RejoinRequest};
use aside_protocol::{AccountId, Body, DeviceId, Millis, PublicKey, codec};
use aside_store::chats::{Chat, ChatState};
use aside_store::rejoins::RejoinTask;
use aside_store::tasks::{Task, TaskKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How long a group waits for key packages of an account whose devices are all new, in milliseconds.
const LONGEST_HOLD_MS: u64 = 10 * 60_000;
/// Devices from which on a tree is big, how many of those who join renew their leaves then, and within what time in
/// milliseconds (rule `MLS-7`).
const BIG: u64 = 64;
const WARMERS: u64 = 16;
const WARM_MS: u64 = 60 * 60_000;
/// Most leaves added by one commit: what its bytes stay handy with.
const MOST_ADDED: usize = 1_000;

/// Differences between the relay's routing and a group's leaves, to be mended (rule `GRP-8`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mend {
    /// Leaves the relay does not route to.
    pub add: Vec<DeviceId>,
    /// Devices it routes to that have no leaf.
    pub remove: Vec<DeviceId>,
}

/// A commit to be made. Nothing in it: this device's leaf is renewed.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// Leaves that go.
    pub remove: Vec<DeviceId>,
    /// Leaves that come.
    pub add: Vec<Package>,
    /// What it is judged by.
    pub evidence: Vec<Evidence>,
    /// A new title.
    pub title: Option<String>,
    /// A new join key, or none any more.
    pub link: Option<Option<PublicKey>>,
    /// What it mends at the relay.
    pub mend: Mend,
    /// The tasks it does.
    pub tasks: Vec<(TaskKind, Vec<u8>)>,
    /// The request it serves.
    pub rejoin: Option<RejoinTask>,
}

impl Draft {
    /// Whether it adds accounts and does nothing else.
    pub fn only_adds(&self) -> bool {
        !self.tasks.is_empty() && self.tasks.iter().all(|(kind, _)| *kind == TaskKind::Add)
    }

    /// The account of one of its tasks.
    pub fn account(&self, task: usize) -> Option<AccountId> {
        self.tasks.get(task).and_then(|(_, subject)| AccountId::from_slice(subject))
    }

    /// One that adds the first of its accounts alone.
    pub fn first_adds(&self, count: usize) -> Self {
        let kept: BTreeSet<AccountId> = (0..count).filter_map(|task| self.account(task)).collect();
        let of = |evidence: &&Evidence| matches!(evidence, Evidence::Lists(lists) if kept.contains(&AccountId::of(&lists.root)));
        Self {
            add: self.add.iter().filter(|(package, _)| kept.contains(&package.leaf().account)).cloned().collect(),
            evidence: self.evidence.iter().filter(of).cloned().collect(),
            tasks: self.tasks.iter().take(count).cloned().collect(),
            ..Self::default()
        }
    }
}

/// What still fits into a group.
pub(super) struct Room {
    accounts: usize,
    devices: usize,
}

impl Room {
    /// In a group of a kind with so many accounts and devices.
    pub fn of(kind: ChatKind, accounts: usize, devices: usize) -> Self {
        match kind {
            ChatKind::Channel => Self { accounts: usize::MAX, devices: CHANNEL_DEVICES.saturating_sub(devices) },
            _ => Self {
                accounts: GROUP_ACCOUNTS.saturating_sub(accounts),
                devices: GROUP_DEVICES.saturating_sub(devices),
            },
        }
    }

    /// Takes an account in, if it fits.
    pub fn takes(&mut self, devices: usize) -> bool {
        let fits = self.accounts > 0 && devices <= self.devices;
        if fits {
            (self.accounts, self.devices) = (self.accounts - 1, self.devices - devices);
        }
        fits
    }
}

/// Whether a commit is due.
#[derive(Debug)]
pub(super) enum Due {
    /// None that anything waits for.
    Nothing,
    /// One that cannot be made yet, and before which nothing may be sent (rule `GRP-7`).
    Held,
    /// This one.
    Ready(Box<Draft>),
}

/// What drafts are made from.
struct View {
    roster: Roster,
    leaves: Vec<Leaf>,
}

impl View {
    fn of<'a>(&'a self, account: &'a AccountId) -> impl Iterator<Item = &'a Leaf> + 'a {
        self.leaves.iter().filter(move |leaf| leaf.account == *account)
    }

    fn devices(&self, account: &AccountId) -> Vec<DeviceId> {
        self.of(account).map(|leaf| leaf.device).collect()
    }
}

/// The commit that is due, if one is.
pub(super) fn due(step: &mut Step, chat: &Chat) -> Result<Due> {
    let rejoins: Vec<_> = step.tx.rejoins(chat.row)?.into_iter().filter(|task| !task.added).collect();
    let tasks = step.tx.tasks(chat.row)?;
    if rejoins.iter().any(|task| task.is_due(step.now)) || tasks.iter().any(|task| is_work(task, step.now)) {
        let view = View { roster: step.roster(chat)?, leaves: step.in_group(chat, |group, _| group.roster())? };
        if let Some(draft) = first(step, chat, &view, rejoins, &tasks)? {
            return Ok(Due::Ready(Box::new(draft)));
        }
        if holds(step, &view, &tasks)? {
            return Ok(Due::Held);
        }
    }
    Ok(if renewal_is_due(step, chat) { Due::Ready(Box::default()) } else { Due::Nothing })
}

/// Whether a task asks for a commit now, or may hold messages back.
fn is_work(task: &Task, now: Millis) -> bool {
    match task.kind {
        TaskKind::Sync => true,
        TaskKind::Found | TaskKind::Quit | TaskKind::Enter => false,
        _ => task.is_due(now),
    }
}

fn first(step: &mut Step, chat: &Chat, view: &View, rejoins: Vec<RejoinTask>, tasks: &[Task]) -> Result<Option<Draft>> {
    let now = step.now;
    for task in rejoins.into_iter().filter(|task| task.is_due(now)) {
        if let Some(draft) = rejoin(step, chat, view, task)? {
            return Ok(Some(draft));
        }
    }
    let mut added = false;
    for task in tasks.iter().filter(|task| task.is_due(now)) {
        let draft = match task.kind {
            // All of them at once.
            TaskKind::Add if std::mem::replace(&mut added, true) => None,
            TaskKind::Add => adds(step, chat, view, tasks)?,
            // Who is to be in the group again gets their role back after that.
            TaskKind::Role if waits_for_add(view, tasks, task) => None,
            _ => single(step, chat, view, task)?,
        };
        if draft.is_some() {
            return Ok(draft);
        }
    }
    Ok(None)
}

fn waits_for_add(view: &View, tasks: &[Task], role: &Task) -> bool {
    role.account().is_some_and(|account| view.roster.get(&account).is_none())
        && tasks.iter().any(|task| task.kind == TaskKind::Add && task.subject == role.subject)
}

fn single(step: &mut Step, chat: &Chat, view: &View, task: &Task) -> Result<Option<Draft>> {
    let draft = match task.kind {
        TaskKind::Sync => return sync(step, chat, view, task),
        TaskKind::Join => return join(step, chat, view, task),
        TaskKind::Leave => task.account().filter(|_| wants_to_leave(step, chat, task)).map(|account| Draft {
            remove: view.devices(&account),
            evidence: vec![Evidence::Leave(task.value.clone())],
            ..Draft::default()
        }),
        TaskKind::Remove => task.account().map(|account| Draft { remove: view.devices(&account), ..Draft::default() }),
        TaskKind::Role => {
            role_of(task).map(|change| Draft { evidence: vec![Evidence::Role(change)], ..Draft::default() })
        }
        TaskKind::Title => {
            String::from_utf8(task.value.to_vec()).ok().map(|title| Draft { title: Some(title), ..Draft::default() })
        }
        TaskKind::Link => Some(Draft { link: Some(PublicKey::from_slice(&task.value)), ..Draft::default() }),
        TaskKind::Routing => codec::decode(&task.value.0).ok().map(|mend| Draft { mend, ..Draft::default() }),
        TaskKind::Warm => Some(Draft::default()),
        TaskKind::Add | TaskKind::Found | TaskKind::Quit | TaskKind::Enter => return Ok(None),
    };
    match draft {
        Some(draft) => Ok(Some(Draft { tasks: vec![(task.kind, task.subject.clone())], ..draft })),
        None => step.tx.drop_task(chat.row, task.kind, &task.subject).map(|()| None).map_err(Into::into),
    }
}

/// The role a task gives to an account.
pub(crate) fn role_of(task: &Task) -> Option<RoleChange> {
    let code = codec::decode(&task.value.0).ok()?;
    Some(RoleChange { account: task.account()?, role: Role::from_code(code) })
}

/// An account's leaves follow its newest list. What it lacks is added if there are packages; if there are none, what is
/// gone goes alone, unless nothing of the account would be left.
fn sync(step: &mut Step, chat: &Chat, view: &View, task: &Task) -> Result<Option<Draft>> {
    let known = task.account().map(|account| step.tx.account(&account)).transpose()?.flatten();
    let (Some(known), Some(entry)) = (known, task.account().and_then(|account| view.roster.get(&account).copied()))
    else {
        step.tx.drop_task(chat.row, task.kind, &task.subject)?;
        return Ok(None);
    };
    let list = &known.list.list;
    let here = view.devices(&known.account);
    let remove: Vec<_> = here.iter().copied().filter(|device| list.device(device).is_none()).collect();
    let missing: Vec<_> = list.devices.iter().map(|e| e.device).filter(|device| !here.contains(device)).collect();
    if list.version <= entry.version && remove.is_empty() && missing.is_empty() {
        step.tx.drop_task(chat.row, task.kind, &task.subject)?;
        return Ok(None);
    }
    let Some(chain) = step.chain(&known.account, None)? else { return Ok(None) };
    let add = match missing.is_empty() {
        true => Vec::new(),
        false => match step.packages(&known.account, suite_of(chat.kind), &missing)? {
            Packages::Waiting => return Ok(None),
            Packages::Ready(packages) => packages,
            // A device just linked has its packages at the relay in a moment; what is gone goes at once.
            Packages::None if remove.is_empty() => return Ok(None),
            Packages::None if here.len() == remove.len() && (chat.is_direct() || !waited_long(step, task)) => {
                return Ok(None);
            }
            Packages::None => Vec::new(),
        },
    };
    let tasks = vec![(task.kind, task.subject.clone())];
    Ok(Some(Draft { remove, add, evidence: vec![Evidence::Lists(chain)], tasks, ..Draft::default() }))
}

/// Whether new devices of an account could not be added for so long that the account goes rather than the group waits.
fn waited_long(step: &Step, task: &Task) -> bool {
    step.now.0.saturating_sub(task.made.0) > LONGEST_HOLD_MS
}

/// Everybody who is to be added and can be now, in one commit. While somebody's packages are on their way nothing is
/// checked: one commit is better than many, and there may be hundreds.
fn adds(step: &mut Step, chat: &Chat, view: &View, tasks: &[Task]) -> Result<Option<Draft>> {
    let (now, mut wanted) = (step.now, Vec::new());
    for task in tasks.iter().filter(|task| task.kind == TaskKind::Add && task.is_due(now)) {
        match task.account().filter(|account| view.roster.get(account).is_none()) {
            Some(account) => wanted.push(account),
            None => step.tx.drop_task(chat.row, task.kind, &task.subject)?,
        }
    }
    if are_coming(step, chat, &wanted) {
        return Ok(None);
    }
    let mut draft = Draft::default();
    let mut room = Room::of(chat.kind, view.roster.entries.len(), view.leaves.len());
    let most = most_accounts(step, chat);
    for account in wanted {
        if draft.tasks.len() == most || draft.add.len() >= MOST_ADDED {
            break;
        }
        let Some((packages, chain)) = newcomer(step, chat, &account)? else { continue };
        if !room.takes(packages.len()) {
            postponing::drop_add(step, chat, &account, "there is no room left here")?;
            continue;
        }
        draft.add.extend(packages);
        draft.evidence.push(Evidence::Lists(chain));
        draft.tasks.push((TaskKind::Add, account.as_ref().to_vec()));
    }
    Ok((!draft.add.is_empty()).then_some(draft))
}

/// How many accounts go into one commit or founding: fewer after one was too big.
pub(super) fn most_accounts(step: &mut Step, chat: &Chat) -> usize {
    match step.link.chat(chat.row).batch {
        0 => MOST_ADDED,
        batch => batch,
    }
}

/// Has the lists and packages of accounts fetched; says whether some of them are still to come.
pub(super) fn are_coming(step: &mut Step, chat: &Chat, accounts: &[AccountId]) -> bool {
    let (suite, now) = (suite_of(chat.kind), step.now);
    accounts.iter().for_each(|account| step.prefetch(account, suite));
    accounts.iter().any(|account| step.link.is_coming(account, suite, now))
}

/// Key packages of all devices of an account, and its chain of lists; none if something is missing.
pub(super) fn newcomer(
    step: &mut Step,
    chat: &Chat,
    account: &AccountId,
) -> Result<Option<(Vec<Package>, AccountLists)>> {
    if step.link.is_unknown(account, step.now) {
        return Ok(None);
    }
    let Some(known) = step.fresh_account(account)? else { return Ok(None) };
    let devices: Vec<_> = known.list.list.devices.iter().map(|entry| entry.device).collect();
    let packages = step.packages(account, suite_of(chat.kind), &devices)?;
    let chain = step.chain(account, None)?;
    match (packages, chain) {
        (Packages::Ready(packages), Some(chain)) => Ok(Some((packages, chain))),
        // The relay told the account a moment ago, and not all of it: nobody waits for that.
        (_, None) => {
            step.link.unknown.insert(*account, step.now);
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Whether a device of the account signed the request to leave. The rules let an admin's commit do the same without one, so
/// the request is judged here: it came by way of the relay.
fn wants_to_leave(step: &Step, chat: &Chat, task: &Task) -> bool {
    let read = || {
        let signed: SignedLeave = codec::decode(&task.value.0).ok()?;
        let request: LeaveRequest = codec::decode(&signed.request.0).ok()?;
        let known = step.tx.account(&task.account()?).ok()??;
        let entry = known.list.list.device(&request.device)?;
        let fits = request.chat == chat.chat && Some(request.account) == task.account();
        Some(fits && asked_to_leave(&signed, &entry.key))
    };
    read().unwrap_or(false)
}

/// Somebody with the link is added with the device that asked (rule `JOI-2`). What an admin commits needs no proof, so it is
/// judged here.
fn join(step: &mut Step, chat: &Chat, view: &View, task: &Task) -> Result<Option<Draft>> {
    let tasks = vec![(task.kind, task.subject.clone())];
    let link = step.join_key(chat)?.filter(|_| chat.kind == ChatKind::Channel);
    let draft = open_join(&task.value).and_then(|(request, signed)| {
        let account = AccountId::of(&request.account.root);
        if view.roster.get(&account).is_some() {
            return None;
        }
        let lists = request.account.lists.clone();
        let proved = crate::rules::proved_list(request.account)?;
        let entry = proved.1.list.device(&request.device)?.clone();
        if request.chat != chat.chat || !asked_to_join(&signed, &link?, &entry.key) {
            return None;
        }
        let checked =
            step.scope().check_key_package(&request.key_package, &proved.0, &entry, suite_of(chat.kind), step.now);
        let evidence = vec![Evidence::Join(task.value.clone())];
        let add = vec![(checked.ok()?, request.key_package)];
        Some((Draft { add, evidence, tasks, ..Draft::default() }, (proved.0, proved.1, lists)))
    });
    let Some((draft, proved)) = draft else {
        step.tx.drop_task(chat.row, task.kind, &task.subject)?;
        return Ok(None);
    };
    // Who is let in is somebody to show: known from here on, and asked for by name.
    step.learn_proved(&[proved])?;
    Ok(Some(draft))
}

/// A device is added again, with its request as evidence (rule `REJ-3`); its account's list comes along. A request that does
/// not hold is dropped.
fn rejoin(step: &mut Step, chat: &Chat, view: &View, task: RejoinTask) -> Result<Option<Draft>> {
    let Some(sound) = sound(step, chat, view, &task)? else { return Ok(None) };
    let Some((request, account, package)) = sound else {
        step.tx.finish_rejoin(&task, step.now)?;
        return Ok(None);
    };
    let Some(chain) = step.chain(&account, None)? else { return Ok(None) };
    let known = step.tx.account(&account)?;
    let gone = |device: &DeviceId| known.as_ref().is_some_and(|known| known.list.list.device(device).is_none());
    let again = |device: &DeviceId| *device == request.device || gone(device);
    let remove = view.devices(&account).into_iter().filter(again).collect();
    let evidence = vec![Evidence::Rejoin(task.request.clone()), Evidence::Lists(chain)];
    Ok(Some(Draft { remove, add: vec![package], evidence, rejoin: Some(task), ..Draft::default() }))
}

/// What a sound request asks for. The outer `None`: it is not known yet whether it is; the inner: it is not.
#[allow(clippy::type_complexity)]
fn sound(
    step: &mut Step,
    chat: &Chat,
    view: &View,
    task: &RejoinTask,
) -> Result<Option<Option<(RejoinRequest, AccountId, Package)>>> {
    let Ok((request, signed)) = rejoin::open(&task.request) else { return Ok(Some(None)) };
    let account = task.account;
    if view.roster.get(&account).is_none() {
        return Ok(Some(None));
    }
    let Some(known) = step.tx.account(&account)? else {
        step.link.wanted.insert(account);
        return Ok(None);
    };
    let Some(entry) = known.list.list.device(&request.device).cloned() else {
        // A device that was just linked or recovered stands in a newer list.
        return Ok(if step.fresh_account(&account)?.is_some() { Some(None) } else { None });
    };
    if !aside_crypto::rejoin::verify_rejoin(&signed, &request, &entry.key) {
        return Ok(Some(None));
    }
    let suite = suite_of(chat.kind);
    let checked = step.scope().check_key_package(&request.key_package, &known.root, &entry, suite, step.now);
    let package = request.key_package.clone();
    Ok(Some(checked.ok().map(|checked| (request, account, (checked, package)))))
}

/// Whether a leaf stands in the group that its account's list has lost: nothing is sent before it is gone.
fn holds(step: &Step, view: &View, tasks: &[Task]) -> Result<bool> {
    for account in tasks.iter().filter(|task| task.kind == TaskKind::Sync).filter_map(Task::account) {
        if let Some(known) = step.tx.account(&account)?
            && view.of(&account).any(|leaf| known.list.list.device(&leaf.device).is_none())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A tree just founded has no keys above its leaves, and whoever commits seals to each of them. A few members anywhere in
/// it who renew theirs leave every later commit with few nodes to seal to. Has this device be one of them by chance, at
/// some time soon (rule `MLS-7`).
pub(crate) fn warm(step: &mut Step, chat: &Chat) -> Result<()> {
    if chat.kind != ChatKind::Group || chat.devices < BIG {
        return Ok(());
    }
    let (chance, wait) = (u32::from_be_bytes(step.fresh()), u32::from_be_bytes(step.fresh()));
    if u64::from(chance) % chat.devices >= WARMERS {
        return Ok(());
    }
    let due = Millis(step.now.0.saturating_add(u64::from(wait) % WARM_MS));
    step.add_task(chat, TaskKind::Warm, Vec::new(), Body::default(), due, false)
}

/// Whether this device's leaf is to be renewed (rule `MLS-7`): by messages or by time, later in large groups, and by chance.
fn renewal_is_due(step: &Step, chat: &Chat) -> bool {
    if chat.own_count == 0 || chat.state != ChatState::Live {
        return false;
    }
    let scale = 1 + chat.devices / 50;
    // The same for all looks at this epoch, other for each device.
    let chance = if chat.devices > 2 { u64::from(step.me.device.0[15] ^ chat.base.0.to_be_bytes()[7]) } else { 0 };
    let later = |amount: u64| amount.saturating_mul(scale).saturating_mul(512 + chance) / 512;
    chat.own_count >= later(step.config.update_after_messages)
        || step.now.0 >= chat.renewed.0.saturating_add(later(step.config.update_after_ms))
}

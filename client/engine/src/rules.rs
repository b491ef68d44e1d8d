//! What a commit may do (rule `GRP-6`). Pure: judges by the group's state before the commit and by what is inside it, so
//! that all members judge alike. Knows no store and no clock.

mod account;
mod evidence;
#[cfg(test)]
mod tests;

pub(crate) use evidence::{Chain, asked_to_join, asked_to_leave, hashes, open_join, prove_all, proved_list};

use aside_crypto::{Leaf, Terms};
use aside_protocol::device_list::VerifiedList;
pub(crate) use aside_protocol::group::is_title;
use aside_protocol::group::{AccountState, ChatContext, ChatKind, GroupState, Role, Roster, RosterEntry};
use aside_protocol::limits::{CHANNEL_DEVICES, GROUP_ACCOUNTS, GROUP_DEVICES};
use aside_protocol::{AccountId, Body, PublicKey};
use evidence::Evidences;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Why a commit is refused; for logs and tests.
pub(crate) type Why = &'static str;

/// A group before a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before<'a> {
    /// The epoch.
    pub epoch: u64,
    /// Its terms.
    pub terms: &'a Terms,
    /// Its accounts.
    pub roster: &'a Roster,
    /// Its leaves.
    pub leaves: &'a [Leaf],
}

/// What a commit does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// Leaves that go.
    pub removed: Vec<Leaf>,
    /// Leaves that come, with their key packages.
    pub added: Vec<(Leaf, Body)>,
    /// What it is judged by, as it came.
    pub evidence: Vec<Body>,
    /// The terms after it, where they differ.
    pub terms: Option<Terms>,
}

/// What follows from a commit that is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct After {
    /// The accounts whose entries change: their new entries, or none for those that go.
    pub entries: Vec<(AccountId, Option<RosterEntry>)>,
    /// Device lists it proved, with the root key and the signed lists.
    pub proved: Vec<(PublicKey, VerifiedList, Vec<Body>)>,
}

/// The same for storing beside an own commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// New entries.
    pub put: Vec<RosterEntry>,
    /// Accounts that go.
    pub gone: Vec<AccountId>,
}

impl From<&After> for Change {
    fn from(after: &After) -> Self {
        let put = after.entries.iter().filter_map(|(_, entry)| *entry).collect();
        let gone = after.entries.iter().filter(|(_, entry)| entry.is_none()).map(|(account, _)| *account).collect();
        Self { put, gone }
    }
}

/// Who does what in which group.
pub(super) struct Case<'a> {
    before: Before<'a>,
    sender: &'a Leaf,
    changes: &'a Changes,
    evidence: Evidences,
}

/// Judges a commit of `sender`, whose leaf is among those before it.
pub(crate) fn judge(before: Before<'_>, sender: &Leaf, changes: &Changes) -> Result<After, Why> {
    let case = Case::of(before, sender, changes)?;
    let (mut after, roster) = case.accounts()?;
    case.owners_remain(&roster)?;
    case.terms(&roster)?;
    case.within_limits(&roster)?;
    after.proved = case.evidence.into_proved();
    Ok(after)
}

/// The roster that a commit's changes of accounts lead to, whatever terms it names.
pub(crate) fn follow(before: Before<'_>, sender: &Leaf, changes: &Changes) -> Result<Roster, Why> {
    Case::of(before, sender, changes)?.accounts().map(|(_, roster)| roster)
}
impl<'a> Case<'a> {
    fn of(before: Before<'a>, sender: &'a Leaf, changes: &'a Changes) -> Result<Self, Why> {
        Ok(Self { before, sender, changes, evidence: Evidences::read(&changes.evidence)? })
    }
}

impl Case<'_> {
    /// Each account that is touched, judged by itself.
    fn accounts(&self) -> Result<(After, Roster), Why> {
        let (mut after, mut roster) = (After::default(), self.before.roster.clone());
        for account in self.touched() {
            let entry = account::judge(self, &account)?;
            if self.before.roster.get(&account) != entry.as_ref() {
                after.entries.push((account, entry));
            }
            match entry {
                Some(entry) => roster.put(entry),
                None => roster.remove(&account),
            }
        }
        Ok((after, roster))
    }

    fn kind(&self) -> ChatKind {
        self.before.terms.context.kind
    }

    /// What the sender's account may do. In direct chats nobody has a role.
    fn role(&self) -> Role {
        self.before.roster.get(&self.sender.account).map_or(Role::Member, |entry| entry.role)
    }

    fn is_admin(&self) -> bool {
        !self.is_direct() && matches!(self.role(), Role::Admin | Role::Owner)
    }

    fn is_owner(&self) -> bool {
        !self.is_direct() && self.role() == Role::Owner
    }

    fn is_direct(&self) -> bool {
        self.kind() == ChatKind::Direct
    }

    /// Accounts that the commit is about.
    fn touched(&self) -> BTreeSet<AccountId> {
        let removed = self.changes.removed.iter().map(|leaf| leaf.account);
        let added = self.changes.added.iter().map(|(leaf, _)| leaf.account);
        removed.chain(added).chain(self.evidence.accounts()).collect()
    }

    /// A group that had an owner keeps one, unless nobody is left to be it.
    fn owners_remain(&self, roster: &Roster) -> Result<(), Why> {
        let owner = |roster: &Roster| roster.entries.iter().any(|entry| entry.role == Role::Owner);
        let lost = !self.is_direct() && owner(self.before.roster) && !owner(roster);
        if lost { Err("no owner would be left") } else { Ok(()) }
    }

    /// Title and link change by admins only, the roster as it must, the rest never.
    fn terms(&self, roster: &Roster) -> Result<(), Why> {
        let (before, after) = (self.before.terms, self.changes.terms.as_ref().unwrap_or(self.before.terms));
        let expected = ChatContext { accounts: accounts(&before.context, roster), ..before.context.clone() };
        if after.context != expected {
            return Err("the chat context is not what the change leads to");
        }
        match (&before.state, &after.state) {
            (None, None) => Ok(()),
            (Some(before), Some(after)) => self.state(before, after, roster),
            _ => Err("a state of groups came or went"),
        }
    }

    fn state(&self, before: &GroupState, after: &GroupState, roster: &Roster) -> Result<(), Why> {
        if after.roster != roster.hash() {
            return Err("the roster is not what the change leads to");
        }
        if after.origin != before.origin {
            return Err("the origin changed");
        }
        if (&after.title, after.join) == (&before.title, before.join) {
            return Ok(());
        }
        if !self.is_admin() {
            return Err("title or link changed by somebody who may not");
        }
        if !is_title(&after.title) || (after.join.is_some() && self.kind() != ChatKind::Channel) {
            return Err("no such title, or a link of a group");
        }
        Ok(())
    }

    /// A group stays as small as its tree stays quick (rule `GRP-1`).
    fn within_limits(&self, roster: &Roster) -> Result<(), Why> {
        let devices = self.before.leaves.len() + self.changes.added.len() - self.changes.removed.len();
        let fits = match self.kind() {
            ChatKind::Group => roster.entries.len() <= GROUP_ACCOUNTS && devices <= GROUP_DEVICES,
            _ => devices <= CHANNEL_DEVICES,
        };
        // Whoever goes may always go.
        if fits || self.changes.added.is_empty() { Ok(()) } else { Err("too many accounts or devices") }
    }
}

/// The accounts of a direct chat's context after a change, in the order in which they stood. None in groups.
pub(crate) fn accounts(before: &ChatContext, roster: &Roster) -> Vec<AccountState> {
    let state = |known: &AccountState| match roster.get(&known.account) {
        Some(entry) => AccountState { account: entry.account, version: entry.version, hash: entry.hash },
        None => known.clone(),
    };
    before.accounts.iter().map(state).collect()
}

/// The roster of a direct chat: its two accounts, or the one of the chat with oneself.
pub(crate) fn direct_roster(context: &ChatContext) -> Roster {
    let mut roster = Roster::default();
    for AccountState { account, version, hash } in &context.accounts {
        roster.put(RosterEntry { account: *account, role: Role::Member, version: *version, hash: *hash, since: 0 });
    }
    roster
}

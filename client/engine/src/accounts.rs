//! Accounts: looked up, their device chains verified, their names held to the first key they were seen with.

use crate::error::Result;
use crate::inbox;
use crate::link::{NameState, Pending};
use crate::rules::prove_all;
use crate::step::Step;
use aside_protocol::device_list::VerifiedList;
use aside_protocol::group::AccountLists;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Account as Record, Answer, Lookup, Request, Who};
use aside_protocol::{AccountId, ChatId, Millis, Name};
use aside_store::accounts::{Account, Trust};

/// Whom a name stands for.
#[derive(Debug, Clone)]
pub enum Contact {
    /// This account.
    Account(Box<Account>),
    /// Nobody known here; look it up.
    Unknown,
    /// A known account whose name now belongs to another key; somebody must decide.
    KeyChanged(Box<KeyChange>),
}

/// The two accounts behind one name.
#[derive(Debug, Clone)]
pub struct KeyChange {
    /// The one known first.
    pub before: Account,
    /// The one the name leads to now.
    pub now: Account,
}

impl Step<'_> {
    /// Whom a name stands for, as far as this device knows.
    pub fn contact(&self, name: &Name) -> Result<Contact> {
        let mut known = self.tx.accounts_named(name)?.into_iter();
        let in_use = known.next().filter(|account| account.trust != Trust::Replaced);
        let pending = known.find(|account| account.trust == Trust::Pending);
        Ok(match (in_use, pending) {
            (Some(before), Some(now)) => Contact::KeyChanged(Box::new(KeyChange { before, now })),
            (Some(account), None) => Contact::Account(Box::new(account)),
            (None, _) => Contact::Unknown,
        })
    }

    /// Looks a name up, now or as soon as there is a connection.
    pub fn look_up(&mut self, name: &Name) {
        self.link.names.insert(name.clone(), NameState::Wanted);
    }

    /// The user accepts the new key behind a name: the name leads to the new account from here on.
    pub fn accept_key(&mut self, change: &KeyChange) -> Result<()> {
        self.tx.save_account(&Account { trust: Trust::Replaced, ..change.before.clone() }, self.now)?;
        self.tx.save_account(&Account { trust: Trust::InUse, ..change.now.clone() }, self.now)?;
        self.tx.move_draft(&change.before.account, &change.now.account)?;
        self.tell_contact(&change.before.account)?;
        self.tell_contact(&change.now.account)?;
        self.changed();
        Ok(())
    }

    /// The same by somebody who sees what waits in the conversation: what was never encrypted goes to the new account too.
    pub fn accept_key_for_waiting(&mut self, change: &KeyChange) -> Result<()> {
        self.accept_key(change)?;
        let before = self.tx.chat(&ChatId::direct(&self.account, &change.before.account))?;
        if let Some(before) = before
            && change.now.account != self.account
            && self.tx.has_unsent(before.row)?
        {
            let now = self.tx.direct_chat(&self.account, &change.now.account, self.now)?;
            self.tx.readdress(before.row, now.row)?;
            self.link.restart_chat(now.row);
            self.touch(now.row);
        }
        Ok(())
    }

    /// The user has compared an account's safety number: it is theirs, or it is not.
    pub fn set_verified(&mut self, account: &AccountId, verified: bool) -> Result<()> {
        self.tx.set_verified(account, if verified { self.now } else { Millis(0) })?;
        self.tell_contact(account)?;
        self.changed();
        Ok(())
    }

    /// Asks for names and accounts that are wanted.
    pub(crate) fn pump_lookups(&mut self) {
        let names = self.link.names.iter_mut().filter(|(_, state)| **state == NameState::Wanted);
        let names: Vec<Name> = names.map(|(name, state)| (*state = NameState::Asked, name.clone()).1).collect();
        for name in names {
            self.ask(lookup(Who::Name(name.clone())), Pending::Name(name));
        }
        for account in std::mem::take(&mut self.link.wanted) {
            if self.link.asking.insert(account) {
                self.ask(lookup(Who::Account(account)), Pending::Account(account));
            }
        }
    }

    /// Verifies and stores what the relay says of an account; `None` when it does not hold.
    fn learn(&mut self, record: Record) -> Result<Option<AccountId>> {
        let account = AccountId::of(&record.root);
        let known = self.tx.account(&account)?;
        let Some(chain) = newest(&record, known.as_ref()) else { return Ok(None) };
        let (list, taken) = match chain {
            Chain::Newer(list) => (list, true),
            Chain::Older(list) => (list, false),
        };
        let grew = known.as_ref().is_some_and(|known| known.list.list.version < list.list.version);
        if known.as_ref().is_some_and(|known| known.trust == Trust::Unnamed) {
            // What was said of somebody without a name can be said with it now.
            self.tx.name_in_notices(&account, &record.name)?;
        }
        let known = known.filter(|known| known.trust != Trust::Unnamed);
        let trust = match &known {
            Some(known) => known.trust,
            None if self.name_is_taken(&record.name)? => Trust::Pending,
            None => Trust::InUse,
        };
        // A known account keeps the name it was first known by: a relay cannot move a name to another contact.
        let name = known.map_or(record.name, |known| known.name);
        if taken {
            self.tx.save_lists(&account, 1, &record.lists)?;
        }
        let record_list = list.clone();
        self.tx.save_account(&Account { account, name, root: record.root, list, trust }, self.now)?;
        self.link.fresh.insert(account);
        if account == self.account {
            self.take_own_list(&record_list)?;
        }
        if grew {
            self.list_grew(&account)?;
        }
        self.changed();
        Ok(Some(account))
    }

    /// The relay does not know an account any more: somebody else may have its name, and the user must hear of it.
    fn look_for_successor(&mut self, gone: &AccountId) -> Result<()> {
        if let Some(account) = self.tx.account(gone)?
            && !self.link.names.contains_key(&account.name)
        {
            self.look_up(&account.name);
        }
        Ok(())
    }

    fn name_is_taken(&self, name: &Name) -> Result<bool> {
        Ok(self.tx.accounts_named(name)?.iter().any(|account| account.trust == Trust::InUse))
    }

    /// Goes on with the chat that waited for this account.
    fn settle_chat(&mut self, account: &AccountId) -> Result<()> {
        self.link.dirty.extend(self.tx.chats_holding()?);
        self.mark_membership_work()?;
        let chat = ChatId::direct(&self.account, account);
        if let Some(mut chat) = self.tx.chat(&chat)? {
            inbox::settle(self, &mut chat)?;
            self.tx.save_chat(&chat)?;
        }
        Ok(())
    }
}

/// Whom the name of an account stands for.
pub(crate) fn in_use(step: &Step, account: &AccountId) -> Result<Contact> {
    match step.tx.account(account)? {
        Some(known) => step.contact(&known.name),
        None => Ok(Contact::Unknown),
    }
}

fn lookup(who: Who) -> Request {
    Request::Lookup(Lookup { who, from_version: 1 })
}

/// What a chain of lists is to what is known of its account.
enum Chain {
    /// It continues it, or is the first.
    Newer(VerifiedList),
    /// It is an earlier part of it.
    Older(VerifiedList),
}

/// The newest list of a chain that holds and does not contradict the one known (rules `LST-1` to `LST-3`): of the same
/// versions there is one history.
fn newest(record: &Record, known: Option<&Account>) -> Option<Chain> {
    let lists = AccountLists { root: record.root, lists: record.lists.clone() };
    let (_, list, hashes, _) = prove_all(&[lists])?.into_values().next()?;
    let Some(known) = known.map(|account| &account.list) else { return Some(Chain::Newer(list)) };
    match continues(known, &hashes) {
        Some(true) => Some(Chain::Newer(list)),
        // The relay tells less than it did before; what is known stays.
        None => Some(Chain::Older(known.clone())),
        Some(false) => None,
    }
}

/// Whether a chain has the known list in its place; none if it ends before.
pub(crate) fn continues(known: &VerifiedList, hashes: &[aside_protocol::Hash]) -> Option<bool> {
    let at = usize::try_from(known.list.version).ok()?.checked_sub(1)?;
    hashes.get(at).map(|hash| *hash == known.hash)
}

pub(crate) fn name_answered(step: &mut Step, name: Name, answer: Answer) -> Result<()> {
    let invalid = NameState::Refused(Refusal::Invalid(Default::default()));
    let state = match answer {
        Answer::Account(record) if record.name == name => match step.learn(record)? {
            Some(account) => {
                step.settle_chat(&account)?;
                NameState::Known
            }
            None => invalid,
        },
        Answer::Refused(refusal) => NameState::Refused(refusal),
        _ => invalid,
    };
    step.link.names.insert(name, state);
    Ok(())
}

pub(crate) fn account_answered(step: &mut Step, wanted: AccountId, answer: Answer) -> Result<()> {
    step.link.asking.remove(&wanted);
    if wanted == step.account {
        step.link.list.looking = false;
    }
    let refusal = match answer {
        Answer::Account(record) if AccountId::of(&record.root) == wanted => match step.learn(record)? {
            Some(account) => return step.settle_chat(&account),
            None => Refusal::Invalid(Default::default()),
        },
        Answer::Refused(refusal) => {
            if matches!(refusal, Refusal::NotFound(_)) {
                step.look_for_successor(&wanted)?;
            }
            refusal
        }
        _ => Refusal::Invalid(Default::default()),
    };
    if matches!(refusal, Refusal::NotFound(_) | Refusal::Invalid(_)) {
        step.link.unknown.insert(wanted, step.now);
        // A group that was to be founded with this account goes on without it.
        step.mark_membership_work()?;
    }
    if let Some(chat) = step.tx.chat(&ChatId::direct(&step.account, &wanted))? {
        step.pause(chat.row, &refusal);
    }
    Ok(())
}

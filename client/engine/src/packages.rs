//! Key packages of those who are to be added: fetched once they are needed, used once (rule `KEY-2`).

use crate::error::Result;
use crate::link::Pending;
use crate::step::Step;
use aside_crypto::{CheckedKeyPackage, MlsError};
use aside_protocol::group::ChatKind;
use aside_protocol::refusal::Refusal;
use aside_protocol::request::{Answer, FetchKeyPackages, KeyPackageOf, Request, Suite};
use aside_protocol::{AccountId, Body, DeviceId, Millis, RequestId};
use aside_store::accounts::Account;
use std::sync::Arc;

/// Fetches that may be unanswered: a large group is founded with many.
const MOST_ASKED: usize = 64;
/// After a refusal an account is asked again no sooner than this, in milliseconds.
const PATIENCE_MS: u64 = 30_000;
/// What was found sound is looked at anew after so long, in milliseconds.
const SOUND_MS: u64 = 600_000;
/// While others are on their way, chats are looked at after so many answers.
const ANSWERS_A_LOOK: usize = 16;

/// The same for the own account's devices.
const OWN_PATIENCE_MS: u64 = 2_000;

/// What became of fetching an account's key packages.
#[derive(Debug, Clone)]
pub(crate) enum Fetched {
    /// Asked, and not answered.
    Asked,
    /// Here.
    Got(Vec<KeyPackageOf>),
    /// Found sound; then, when.
    Sound(Millis, Arc<Vec<Package>>),
    /// The relay has none, or does not give them now, or they are of no use; then, when.
    Refused(Millis),
}

/// Whether a refusal still counts.
pub(crate) fn is_recent(at: Millis, now: Millis) -> bool {
    at <= now && now.0 < at.0.saturating_add(PATIENCE_MS)
}

/// A key package that may be added, and its bytes.
pub(crate) type Package = (CheckedKeyPackage, Body);

/// Whether somebody can be added now.
#[derive(Debug)]
pub(crate) enum Packages {
    /// Something was asked; later.
    Waiting,
    /// One sound package for each device wanted.
    Ready(Vec<Package>),
    /// A device has no sound package at the relay.
    None,
}

/// The suite of a kind of chat (rule `MLS-1`).
pub(crate) fn suite_of(kind: ChatKind) -> Suite {
    if kind == ChatKind::Channel { Suite::Classical } else { Suite::XWing }
}

impl Step<'_> {
    /// An account as the relay has just told it, with its chain of lists at hand; asks if it has not.
    pub(crate) fn fresh_account(&mut self, account: &AccountId) -> Result<Option<Account>> {
        if !self.link.fresh.contains(account) {
            if !self.link.is_unknown(account, self.now) {
                self.link.wanted.insert(*account);
            }
            return Ok(None);
        }
        Ok(self.tx.account(account)?)
    }

    /// Sees to it that an account's lists and key packages come. Looks at nothing that is stored, and checks nothing: it is
    /// asked of hundreds at once.
    pub(crate) fn prefetch(&mut self, account: &AccountId, suite: Suite) {
        if !self.link.fresh.contains(account) {
            if !self.link.is_unknown(account, self.now) {
                self.link.wanted.insert(*account);
            }
            return;
        }
        let old = match self.link.packages.get(&(*account, suite.code())) {
            None => true,
            Some(Fetched::Refused(at)) => !is_recent(*at, self.now),
            Some(_) => false,
        };
        if old {
            self.fetch(account, suite);
        }
    }

    /// Sound key packages of the named devices of an account; asks if there are none here.
    pub(crate) fn packages(&mut self, account: &AccountId, suite: Suite, of: &[DeviceId]) -> Result<Packages> {
        let Some(known) = self.fresh_account(account)? else { return Ok(Packages::Waiting) };
        let key = (*account, suite.code());
        // A device of one's own that was just linked is about to upload them.
        let patience = if *account == self.account { OWN_PATIENCE_MS } else { PATIENCE_MS };
        let got = match self.link.packages.get(&key) {
            Some(Fetched::Got(packages)) => packages.clone(),
            Some(Fetched::Sound(at, packages)) if *at <= self.now && self.now.0 < at.0.saturating_add(SOUND_MS) => {
                match some_of(packages, of) {
                    Some(packages) => return Ok(Packages::Ready(packages)),
                    None => return Ok(self.fetch(account, suite)),
                }
            }
            Some(Fetched::Asked) => return Ok(Packages::Waiting),
            Some(Fetched::Refused(at)) if *at <= self.now && self.now.0 < at.0.saturating_add(patience) => {
                return Ok(Packages::None);
            }
            _ => return Ok(self.fetch(account, suite)),
        };
        match self.check(&known, suite, of, &got)? {
            Some(sound) => {
                self.link.packages.insert(key, Fetched::Sound(self.now, Arc::new(sound.clone())));
                Ok(Packages::Ready(sound))
            }
            None => {
                self.unfit(account, suite);
                Ok(Packages::None)
            }
        }
    }

    /// They are used.
    pub(crate) fn spent(&mut self, account: &AccountId, suite: Suite) {
        self.link.packages.remove(&(*account, suite.code()));
    }

    /// They are of no use: others are asked for after a while.
    pub(crate) fn unfit(&mut self, account: &AccountId, suite: Suite) {
        self.link.packages.insert((*account, suite.code()), Fetched::Refused(self.now));
    }

    fn fetch(&mut self, account: &AccountId, suite: Suite) -> Packages {
        if self.link.fetching() < MOST_ASKED {
            let id = RequestId(self.fresh());
            self.link.packages.insert((*account, suite.code()), Fetched::Asked);
            let request = Request::FetchKeyPackages(FetchKeyPackages { id, account: *account, suite });
            self.ask(request, Pending::Packages(*account, suite));
        }
        Packages::Waiting
    }

    /// One sound key package for each of the devices, or none at all.
    fn check(
        &self,
        account: &Account,
        suite: Suite,
        of: &[DeviceId],
        packages: &[KeyPackageOf],
    ) -> Result<Option<Vec<Package>>> {
        let scope = self.scope();
        let mut checked = Vec::new();
        for entry in account.list.list.devices.iter().filter(|entry| of.contains(&entry.device)) {
            let Some(package) = packages.iter().find(|package| package.device == entry.device) else { return Ok(None) };
            match scope.check_key_package(&package.body, &account.root, entry, suite, self.now) {
                Ok(sound) => checked.push((sound, package.body.clone())),
                Err(MlsError::BadKeyPackage(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok((checked.len() == of.len()).then_some(checked))
    }

    /// The relay gives packages, or does not.
    pub(crate) fn packages_answered(&mut self, account: AccountId, suite: Suite, answer: Answer) -> Result<()> {
        let fetched = match answer {
            Answer::KeyPackages(packages) => Fetched::Got(packages),
            Answer::Refused(refusal) => {
                if matches!(refusal, Refusal::NotFound(_)) {
                    self.link.fresh.remove(&account);
                }
                self.link.trouble = Some(refusal);
                Fetched::Refused(self.now)
            }
            _ => Fetched::Refused(self.now),
        };
        self.link.packages.insert((account, suite.code()), fetched);
        // Whoever adds hundreds looks at all of them each time: not after each answer.
        match self.link.fetching() % ANSWERS_A_LOOK {
            0 => self.mark_membership_work(),
            _ => Ok(()),
        }
    }
}

/// Those of the named devices; none if one is missing.
fn some_of(packages: &[Package], of: &[DeviceId]) -> Option<Vec<Package>> {
    of.iter().map(|device| packages.iter().find(|(package, _)| package.leaf().device == *device).cloned()).collect()
}

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

/// Fetches that may be unanswered: a large group is founded with many.
const MOST_ASKED: usize = 64;
/// After a refusal an account is asked again no sooner than this, in milliseconds.
const PATIENCE_MS: u64 = 30_000;

/// The same for the own account's devices.
const OWN_PATIENCE_MS: u64 = 2_000;

/// What became of fetching an account's key packages.
#[derive(Debug, Clone)]
pub(crate) enum Fetched {
    /// Asked, and not answered.
    Asked,
    /// Here.
    Got(Vec<KeyPackageOf>),
    /// The relay has none, or does not give them now; then, when.
    Refused(Millis),
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
            self.link.wanted.insert(*account);
            return Ok(None);
        }
        Ok(self.tx.account(account)?)
    }

    /// Sound key packages of the named devices of an account; asks if there are none here.
    pub(crate) fn packages(&mut self, account: &AccountId, suite: Suite, of: &[DeviceId]) -> Result<Packages> {
        let Some(known) = self.fresh_account(account)? else { return Ok(Packages::Waiting) };
        let key = (*account, suite.code());
        // A device of one's own that was just linked is about to upload them.
        let patience = if *account == self.account { OWN_PATIENCE_MS } else { PATIENCE_MS };
        let got = match self.link.packages.get(&key) {
            Some(Fetched::Got(packages)) => packages.clone(),
            Some(Fetched::Asked) => return Ok(Packages::Waiting),
            Some(Fetched::Refused(at)) if *at <= self.now && self.now.0 < at.0.saturating_add(patience) => {
                return Ok(Packages::None);
            }
            _ => return self.fetch(account, suite),
        };
        Ok(self.check(&known, suite, of, &got)?.map_or(Packages::None, Packages::Ready))
    }

    /// They are used, or of no use.
    pub(crate) fn spent(&mut self, account: &AccountId, suite: Suite) {
        self.link.packages.remove(&(*account, suite.code()));
    }

    fn fetch(&mut self, account: &AccountId, suite: Suite) -> Result<Packages> {
        let asked = self.link.packages.values().filter(|fetched| matches!(fetched, Fetched::Asked)).count();
        if asked < MOST_ASKED {
            let id = RequestId(self.fresh());
            self.link.packages.insert((*account, suite.code()), Fetched::Asked);
            let request = Request::FetchKeyPackages(FetchKeyPackages { id, account: *account, suite });
            self.ask(request, Pending::Packages(*account, suite));
        }
        Ok(Packages::Waiting)
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
        self.mark_membership_work()
    }
}

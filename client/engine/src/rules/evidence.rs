//! Reads a commit's evidence and verifies all signatures in it.

use super::Why;
use aside_crypto::rejoin::verify_rejoin;
use aside_protocol::device_list::{VerifiedList, verify_chain};
use aside_protocol::group::{
    AccountLists, Evidence, JoinRequest, LeaveRequest, Role, SignedJoin, SignedLeave, join_signs, leave_signs,
};
use aside_protocol::limits::MAX_CHAIN;
use aside_protocol::rejoin::{self, RejoinRequest, SignedRejoin};
use aside_protocol::{AccountId, Body, PublicKey, codec};
use std::collections::BTreeMap;

/// An account's chain that leads back to its root.
#[derive(Debug, Clone)]
pub(super) struct Proved {
    pub root: PublicKey,
    pub list: VerifiedList,
    /// Hashes of all versions, from 1 on.
    pub hashes: Vec<aside_protocol::Hash>,
    lists: Vec<Body>,
}

/// All evidence of a commit.
#[derive(Debug, Default)]
pub(crate) struct Evidences {
    lists: BTreeMap<AccountId, Proved>,
    rejoins: Vec<(RejoinRequest, SignedRejoin)>,
    leaves: Vec<(LeaveRequest, SignedLeave)>,
    joins: Vec<(JoinRequest, SignedJoin)>,
    roles: BTreeMap<AccountId, Role>,
}

impl Evidences {
    /// Reads them; chains are verified here, the rest when it is asked for.
    pub(crate) fn read(evidence: &[Body]) -> Result<Self, Why> {
        let mut all = Self::default();
        evidence.iter().try_for_each(|bytes| all.take(bytes))?;
        Ok(all)
    }

    fn take(&mut self, bytes: &Body) -> Result<(), Why> {
        match Evidence::read(bytes).map_err(|_| "evidence that cannot be read")? {
            Evidence::Rejoin(bytes) => self.rejoins.push(rejoin::open(&bytes).map_err(|_| "not a request to rejoin")?),
            Evidence::Lists(lists) => self.take_lists(lists)?,
            Evidence::Leave(bytes) => {
                let signed: SignedLeave = codec::decode(&bytes.0).map_err(|_| "not a request to leave")?;
                let request = codec::decode(&signed.request.0).map_err(|_| "not a request to leave")?;
                self.leaves.push((request, signed));
            }
            Evidence::Role(change) => {
                if matches!(change.role, Role::Other(_)) || self.roles.insert(change.account, change.role).is_some() {
                    return Err("a role that is none, or two for one account");
                }
            }
            Evidence::Join(bytes) => {
                let (request, signed) = open_join(&bytes).ok_or("not a request to join")?;
                self.take_lists(request.account.clone())?;
                self.joins.push((request, signed));
            }
            _ => return Err("evidence of an unknown kind"),
        }
        Ok(())
    }

    fn take_lists(&mut self, lists: AccountLists) -> Result<(), Why> {
        let proved = prove(lists).ok_or("device lists that do not lead to their root")?;
        match self.lists.insert(AccountId::of(&proved.root), proved) {
            None => Ok(()),
            Some(_) => Err("two chains of one account"),
        }
    }

    /// Accounts that are named other than by leaves.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.lists.keys().chain(self.roles.keys()).copied()
    }

    /// An account's proved list.
    pub(super) fn list(&self, account: &AccountId) -> Option<&Proved> {
        self.lists.get(account)
    }

    /// The role an account is given.
    pub(super) fn role(&self, account: &AccountId) -> Option<Role> {
        self.roles.get(account).copied()
    }

    /// Requests to be added again.
    pub(super) fn rejoins(&self) -> impl Iterator<Item = (&RejoinRequest, &SignedRejoin)> {
        self.rejoins.iter().map(|(request, signed)| (request, signed))
    }

    /// Requests to be removed.
    pub(super) fn leaves(&self) -> impl Iterator<Item = (&LeaveRequest, &SignedLeave)> {
        self.leaves.iter().map(|(request, signed)| (request, signed))
    }

    /// Requests to be added by a link.
    pub(super) fn joins(&self) -> impl Iterator<Item = (&JoinRequest, &SignedJoin)> {
        self.joins.iter().map(|(request, signed)| (request, signed))
    }

    pub(super) fn into_proved(self) -> Vec<(PublicKey, VerifiedList, Vec<Body>)> {
        self.lists.into_values().map(|proved| (proved.root, proved.list, proved.lists)).collect()
    }
}

/// The same for whoever needs no more than the last list.
pub(crate) fn proved_list(lists: AccountLists) -> Option<(PublicKey, VerifiedList)> {
    prove(lists).map(|proved| (proved.root, proved.list))
}

/// Verifies an account's chain from version 1 on.
pub(super) fn prove(AccountLists { root, lists }: AccountLists) -> Option<Proved> {
    if lists.iter().map(|list| list.len()).sum::<usize>() > MAX_CHAIN {
        return None;
    }
    let (mut list, mut hashes) = (None, Vec::new());
    for bytes in &lists {
        list = verify_chain(&root, list, std::slice::from_ref(bytes)).ok()?;
        hashes.push(list.as_ref()?.hash);
    }
    Some(Proved { root, list: list?, hashes, lists })
}

/// Whether a device key signed a request to be added again.
pub(super) fn asked_again(request: &RejoinRequest, signed: &SignedRejoin, key: &PublicKey) -> bool {
    verify_rejoin(signed, request, key)
}

/// Whether a device key signed a request to leave.
pub(crate) fn asked_to_leave(signed: &SignedLeave, key: &PublicKey) -> bool {
    key.verifies(&leave_signs(&signed.request), &signed.signature)
}

/// Reads a request to join, without judging its signatures.
pub(crate) fn open_join(bytes: &Body) -> Option<(JoinRequest, SignedJoin)> {
    let signed: SignedJoin = codec::decode(&bytes.0).ok()?;
    Some((codec::decode(&signed.request.0).ok()?, signed))
}

/// Whether both the link's key and the device's signed a request to join.
pub(crate) fn asked_to_join(signed: &SignedJoin, link: &PublicKey, key: &PublicKey) -> bool {
    let message = join_signs(&signed.request);
    link.verifies(&message, &signed.proof) && key.verifies(&message, &signed.signature)
}

/// An account's root key, its last list, the hashes of all versions, and the signed lists.
pub(crate) type Chain = (PublicKey, VerifiedList, Vec<aside_protocol::Hash>, Vec<Body>);

/// Verifies the chains of many accounts; none if one does not hold.
pub(crate) fn prove_all(accounts: &[AccountLists]) -> Option<BTreeMap<AccountId, Chain>> {
    let chain = |lists: &AccountLists| {
        let proved = prove(lists.clone())?;
        Some((AccountId::of(&proved.root), (proved.root, proved.list, proved.hashes, proved.lists)))
    };
    accounts.iter().map(chain).collect()
}

/// Hashes of all versions of a chain that holds, from 1 on.
pub(crate) fn hashes(root: PublicKey, lists: &[Body]) -> Vec<aside_protocol::Hash> {
    prove(AccountLists { root, lists: lists.to_vec() }).map(|proved| proved.hashes).unwrap_or_default()
}

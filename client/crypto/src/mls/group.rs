//! A group in memory: what it says about itself, sending, and merging commits.

use super::commit::{Change, Proposed, StagedCommitFacts, commit};
use super::config;
use super::error::{MlsError, bug, merge, merge_own, message, storage};
use super::leaf::Leaf;
use super::packages::CheckedKeyPackage;
use super::scope::{Scope, Storage};
use aside_protocol::content::{Aad, Content, pad};
use aside_protocol::group::ChatContext;
use aside_protocol::{Body, DeviceId, Hash, codec};
use openmls::group::{
    ApplicationExportTreeError, DeletePastEpochSecretsError, MlsGroup, PastEpochDeletion, SafeExportSecretError,
};
use openmls::prelude::LeafNodeIndex;
use openmls_traits::OpenMlsProvider;
use std::fmt;
use zeroize::Zeroizing;

/// A copy in memory of one group's state. Every change is written to the scope's storage at once, but for what
/// [`Group::open_ahead`] leaves to [`Group::save`].
pub struct Group {
    pub(super) mls: MlsGroup,
    /// Ratchets have moved since they were written.
    pub(super) unsaved: bool,
}

impl Group {
    pub(super) fn new(mls: MlsGroup) -> Self {
        Self { mls, unsaved: false }
    }

    /// Writes what [`Self::open_ahead`] left unwritten; must come before anything else is done with the group or its
    /// storage, and before the transaction ends.
    pub fn save<S: Storage>(&mut self, scope: &Scope<'_, S>) -> Result<(), MlsError> {
        if self.unsaved {
            // The library's way to write message secrets: there are no past epochs to delete (`config::PAST_EPOCHS`).
            let saved = self.mls.delete_past_epoch_secrets(scope, PastEpochDeletion::delete_all());
            saved.map_err(|DeletePastEpochSecretsError::StorageError(e)| storage(e))?;
            self.unsaved = false;
        }
        Ok(())
    }

    /// The group's id, under which [`Scope::load`] finds it.
    pub fn id(&self) -> Vec<u8> {
        self.mls.group_id().to_vec()
    }

    /// How many commits were merged since the founding.
    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// Equal for members whose states agree in this epoch. Of no use for reading anything: for checks.
    pub fn authenticator(&self) -> Hash {
        Hash::of(self.mls.epoch_authenticator().as_slice())
    }

    /// The chat this group belongs to.
    pub fn context(&self) -> Result<ChatContext, MlsError> {
        config::read_context(self.mls.extensions()).map_err(bug)
    }

    /// Its members, in leaf order.
    pub fn roster(&self) -> Result<Vec<Leaf>, MlsError> {
        self.mls.members().map(|member| Leaf::of_member(&member)).collect::<Result<_, _>>().map_err(bug)
    }

    /// Whether an own commit waits for [`Self::merge_own`] or [`Self::discard_own`].
    pub fn has_pending(&self) -> bool {
        self.mls.pending_commit().is_some()
    }

    /// False once a merged commit has removed this device.
    pub fn is_active(&self) -> bool {
        self.mls.is_active()
    }

    /// Pads and encrypts content for the current epoch. Store the result with the ratchet, in one transaction.
    pub fn encrypt<S: Storage>(
        &mut self,
        scope: &Scope<'_, S>,
        aad: &Aad,
        content: &Content,
    ) -> Result<Body, MlsError> {
        let plain = Zeroizing::new(pad(content));
        self.mls.set_aad(codec::encode(aad).to_vec());
        let out = self.mls.create_message(scope, &scope.signer(), &plain).map_err(message)?;
        out.to_bytes().map(Body::from).map_err(bug)
    }

    /// Merges a peer's commit that the caller has judged good. An own pending commit is gone then.
    pub fn merge<S: Storage>(&mut self, scope: &Scope<'_, S>, commit: Box<StagedCommitFacts>) -> Result<(), MlsError> {
        if commit.epoch != self.epoch().saturating_add(1) {
            return Err(bug("the commit was staged in another epoch"));
        }
        self.mls.merge_staged_commit(scope, commit.staged).map_err(merge)
    }

    /// Merges the own pending commit: the relay's echo of it has come.
    pub fn merge_own<S: Storage>(&mut self, scope: &Scope<'_, S>) -> Result<(), MlsError> {
        if !self.has_pending() {
            return Err(MlsError::NoPending);
        }
        self.mls.merge_pending_commit(scope).map_err(merge_own)
    }

    /// Forgets the own pending commit, if there is one. Only when it is sure that the relay has not accepted it.
    pub fn discard_own<S: Storage>(&mut self, scope: &Scope<'_, S>) -> Result<(), MlsError> {
        self.mls.clear_pending_commit(scope.storage()).map_err(storage)
    }

    /// A commit, pending, that renews this device's keys and nothing else.
    pub fn update_keys<S: Storage>(&mut self, scope: &Scope<'_, S>, aad: &Aad) -> Result<Proposed, MlsError> {
        commit(&mut self.mls, scope, aad, Change::default())
    }

    /// One commit, pending, that removes `device`'s leaf and adds it again with a new key package.
    pub fn readd<S: Storage>(
        &mut self,
        scope: &Scope<'_, S>,
        aad: &Aad,
        device: &DeviceId,
        with: &CheckedKeyPackage,
    ) -> Result<Proposed, MlsError> {
        self.readd_with(scope, aad, device, with, &[])
    }

    /// As [`Self::readd`], with the evidence that other accounts' members judge it by: the signed rejoin request.
    pub fn readd_with<S: Storage>(
        &mut self,
        scope: &Scope<'_, S>,
        aad: &Aad,
        device: &DeviceId,
        with: &CheckedKeyPackage,
        evidence: &[Body],
    ) -> Result<Proposed, MlsError> {
        let (index, leaf) = self.find(device)?;
        if index == self.mls.own_leaf_index() || leaf.device != with.leaf().device || leaf.root != with.leaf().root {
            return Err(bug("a device re-adds another one, with that one's key package"));
        }
        let change = Change { removed: vec![index], added: vec![with.package.clone()], evidence: evidence.to_vec() };
        commit(&mut self.mls, scope, aad, change)
    }

    /// The secret behind this epoch's receipt keys. Works once per epoch: call it right after merging or joining.
    pub fn receipt_secret<S: Storage>(&mut self, scope: &Scope<'_, S>) -> Result<Zeroizing<[u8; 32]>, MlsError> {
        let secret = self.mls.safe_export_secret(scope.crypto(), scope.storage(), config::RECEIPT_COMPONENT).map_err(
            |e| match e {
                SafeExportSecretError::ApplicationExportTree(ApplicationExportTreeError::PuncturedInput) => {
                    MlsError::AlreadyExported
                }
                SafeExportSecretError::GroupState(_) => MlsError::Left,
                SafeExportSecretError::Storage(e) => storage(e),
                other => bug(other),
            },
        )?;
        let secret = Zeroizing::new(secret);
        secret.as_slice().try_into().map(Zeroizing::new).map_err(|_| bug("an exported secret of another length"))
    }

    fn find(&self, device: &DeviceId) -> Result<(LeafNodeIndex, Leaf), MlsError> {
        self.mls
            .members()
            .filter_map(|member| Leaf::of_member(&member).ok().map(|leaf| (member.index, leaf)))
            .find(|(_, leaf)| leaf.device == *device)
            .ok_or(MlsError::NotMember(*device))
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("id", &self.id()).field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

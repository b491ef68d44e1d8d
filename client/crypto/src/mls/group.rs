//! A group in memory: what it says about itself, sending, and merging commits.

use super::commit::{Proposed, StagedCommitFacts, Wanted, commit};
use super::config::{self, Terms};
use super::error::{MlsError, bug, merge, merge_own, message, storage};
use super::leaf::Leaf;
use super::scope::{Scope, Storage};
use aside_protocol::content::{Aad, Content, pad};
use aside_protocol::{Body, DeviceId, Hash, codec};
use openmls::group::{
    ApplicationExportTreeError, DeletePastEpochSecretsError, MlsGroup, PastEpochDeletion, SafeExportSecretError,
};
use openmls::prelude::{LeafNodeIndex, Member};
use openmls_traits::OpenMlsProvider;
use std::collections::HashMap;
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

    /// The chat this group belongs to, and what it says of itself.
    pub fn terms(&self) -> Result<Terms, MlsError> {
        config::read_terms(self.mls.extensions()).map_err(bug)
    }

    /// SHA-256 of the hash of the tree: equal for members who agree on all leaves. For checks.
    pub fn tree(&self) -> Hash {
        Hash::of(self.mls.public_group().group_context().tree_hash())
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
        self.propose(scope, aad, &Wanted::default())
    }

    /// A commit, pending, that changes what is wanted and renews this device's keys.
    pub fn propose<S: Storage>(
        &mut self,
        scope: &Scope<'_, S>,
        aad: &Aad,
        wanted: &Wanted,
    ) -> Result<Proposed, MlsError> {
        let leaves: HashMap<DeviceId, LeafNodeIndex> = match wanted.remove.is_empty() {
            true => HashMap::new(),
            false => self.leaves()?,
        };
        let index = |device: &DeviceId| leaves.get(device).copied().ok_or(MlsError::NotMember(*device));
        let removed = wanted.remove.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        if removed.contains(&self.mls.own_leaf_index()) {
            return Err(bug("a device does not remove itself"));
        }
        commit(&mut self.mls, scope, aad, removed, wanted)
    }

    fn leaves(&self) -> Result<HashMap<DeviceId, LeafNodeIndex>, MlsError> {
        let leaf = |member: Member| Ok((Leaf::of_member(&member)?.device, member.index));
        self.mls.members().map(leaf).collect::<Result<_, String>>().map_err(bug)
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
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("id", &self.id()).field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

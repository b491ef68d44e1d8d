//! Reading ahead: storage that leaves a group's message secrets in memory while many messages are read.
//!
//! The MLS library writes all of them after each message it opens, and the more leaves a group has, the more that is. A
//! batch of messages is one transaction, so writing them once, before it commits, is enough. Everything else is passed
//! on.

use super::scope::Storage;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use std::cell::Cell;

/// Passes everything on but message secrets; remembers that there were some.
pub(super) struct Ahead<'a, S> {
    storage: &'a S,
    kept_back: Cell<bool>,
}

impl<'a, S> Ahead<'a, S> {
    pub fn of(storage: &'a S) -> Self {
        Self { storage, kept_back: Cell::new(false) }
    }

    /// Whether something was not written that must be.
    pub fn kept_back(&self) -> bool {
        self.kept_back.get()
    }
}

/// One method a line: its name, the kinds of its keys and values, its arguments.
macro_rules! passed_on {
    ($($name:ident[$($kind:ident),+]($($arg:ident: $type:ty),+) -> $value:ty;)+) => {$(
        fn $name<$($kind: traits::$kind<CURRENT_VERSION>),+>(&self, $($arg: $type),+) -> Result<$value, Self::Error> {
            self.storage.$name::<$($kind),+>($($arg),+)
        }
    )+};
}

impl<S: Storage> StorageProvider<CURRENT_VERSION> for Ahead<'_, S> {
    type Error = S::Error;

    fn write_message_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MessageSecrets: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        _: &GroupId,
        _: &MessageSecrets,
    ) -> Result<(), Self::Error> {
        self.kept_back.set(true);
        Ok(())
    }

    passed_on! {
        write_mls_join_config[GroupId, MlsGroupJoinConfig](group: &GroupId, config: &MlsGroupJoinConfig) -> ();
        append_own_leaf_node[GroupId, LeafNode](group: &GroupId, node: &LeafNode) -> ();
        queue_proposal[GroupId, ProposalRef, QueuedProposal](
            group: &GroupId, proposal_ref: &ProposalRef, proposal: &QueuedProposal
        ) -> ();
        write_tree[GroupId, TreeSync](group: &GroupId, tree: &TreeSync) -> ();
        write_interim_transcript_hash[GroupId, InterimTranscriptHash](
            group: &GroupId, hash: &InterimTranscriptHash
        ) -> ();
        write_context[GroupId, GroupContext](group: &GroupId, context: &GroupContext) -> ();
        write_confirmation_tag[GroupId, ConfirmationTag](group: &GroupId, tag: &ConfirmationTag) -> ();
        write_group_state[GroupState, GroupId](group: &GroupId, state: &GroupState) -> ();
        write_resumption_psk_store[GroupId, ResumptionPskStore](group: &GroupId, store: &ResumptionPskStore) -> ();
        write_own_leaf_index[GroupId, LeafNodeIndex](group: &GroupId, index: &LeafNodeIndex) -> ();
        write_group_epoch_secrets[GroupId, GroupEpochSecrets](group: &GroupId, secrets: &GroupEpochSecrets) -> ();
        write_application_export_tree[GroupId, ApplicationExportTree](
            group: &GroupId, tree: &ApplicationExportTree
        ) -> ();
        write_signature_key_pair[SignaturePublicKey, SignatureKeyPair](
            key: &SignaturePublicKey, pair: &SignatureKeyPair
        ) -> ();
        write_encryption_key_pair[EncryptionKey, HpkeKeyPair](key: &EncryptionKey, pair: &HpkeKeyPair) -> ();
        write_encryption_epoch_key_pairs[GroupId, EpochKey, HpkeKeyPair](
            group: &GroupId, epoch: &EpochKey, leaf: u32, pairs: &[HpkeKeyPair]
        ) -> ();
        write_key_package[HashReference, KeyPackage](hash: &HashReference, package: &KeyPackage) -> ();
        write_psk[PskId, PskBundle](id: &PskId, psk: &PskBundle) -> ();
        mls_group_join_config[GroupId, MlsGroupJoinConfig](group: &GroupId) -> Option<MlsGroupJoinConfig>;
        own_leaf_nodes[GroupId, LeafNode](group: &GroupId) -> Vec<LeafNode>;
        queued_proposal_refs[GroupId, ProposalRef](group: &GroupId) -> Vec<ProposalRef>;
        queued_proposals[GroupId, ProposalRef, QueuedProposal](group: &GroupId) -> Vec<(ProposalRef, QueuedProposal)>;
        tree[GroupId, TreeSync](group: &GroupId) -> Option<TreeSync>;
        group_context[GroupId, GroupContext](group: &GroupId) -> Option<GroupContext>;
        interim_transcript_hash[GroupId, InterimTranscriptHash](group: &GroupId) -> Option<InterimTranscriptHash>;
        confirmation_tag[GroupId, ConfirmationTag](group: &GroupId) -> Option<ConfirmationTag>;
        group_state[GroupState, GroupId](group: &GroupId) -> Option<GroupState>;
        message_secrets[GroupId, MessageSecrets](group: &GroupId) -> Option<MessageSecrets>;
        resumption_psk_store[GroupId, ResumptionPskStore](group: &GroupId) -> Option<ResumptionPskStore>;
        own_leaf_index[GroupId, LeafNodeIndex](group: &GroupId) -> Option<LeafNodeIndex>;
        group_epoch_secrets[GroupId, GroupEpochSecrets](group: &GroupId) -> Option<GroupEpochSecrets>;
        signature_key_pair[SignaturePublicKey, SignatureKeyPair](key: &SignaturePublicKey) -> Option<SignatureKeyPair>;
        encryption_key_pair[HpkeKeyPair, EncryptionKey](key: &EncryptionKey) -> Option<HpkeKeyPair>;
        encryption_epoch_key_pairs[GroupId, EpochKey, HpkeKeyPair](
            group: &GroupId, epoch: &EpochKey, leaf: u32
        ) -> Vec<HpkeKeyPair>;
        key_package[HashReference, KeyPackage](hash: &HashReference) -> Option<KeyPackage>;
        psk[PskBundle, PskId](id: &PskId) -> Option<PskBundle>;
        application_export_tree[GroupId, ApplicationExportTree](group: &GroupId) -> Option<ApplicationExportTree>;
        remove_proposal[GroupId, ProposalRef](group: &GroupId, proposal_ref: &ProposalRef) -> ();
        delete_own_leaf_nodes[GroupId](group: &GroupId) -> ();
        delete_group_config[GroupId](group: &GroupId) -> ();
        delete_tree[GroupId](group: &GroupId) -> ();
        delete_confirmation_tag[GroupId](group: &GroupId) -> ();
        delete_group_state[GroupId](group: &GroupId) -> ();
        delete_context[GroupId](group: &GroupId) -> ();
        delete_interim_transcript_hash[GroupId](group: &GroupId) -> ();
        delete_message_secrets[GroupId](group: &GroupId) -> ();
        delete_all_resumption_psk_secrets[GroupId](group: &GroupId) -> ();
        delete_own_leaf_index[GroupId](group: &GroupId) -> ();
        delete_group_epoch_secrets[GroupId](group: &GroupId) -> ();
        clear_proposal_queue[GroupId, ProposalRef](group: &GroupId) -> ();
        delete_signature_key_pair[SignaturePublicKey](key: &SignaturePublicKey) -> ();
        delete_encryption_key_pair[EncryptionKey](key: &EncryptionKey) -> ();
        delete_encryption_epoch_key_pairs[GroupId, EpochKey](group: &GroupId, epoch: &EpochKey, leaf: u32) -> ();
        delete_key_package[HashReference](hash: &HashReference) -> ();
        delete_psk[PskId](id: &PskId) -> ();
        delete_application_export_tree[GroupId, ApplicationExportTree](group: &GroupId) -> ();
    }
}

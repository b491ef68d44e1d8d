//! What can go wrong with MLS, by whose fault, and how the library's errors map to it.

use aside_protocol::DeviceId;
use openmls::framing::errors::{MessageDecryptionError, SecretTreeError};
use openmls::group::{
    CommitBuilderStageError, CreateCommitError, CreateMessageError, MergeCommitError, MergePendingCommitError,
    MlsGroupStateError, NewGroupError, ProcessMessageError, StageCommitError, ValidationError, WelcomeError,
};
use std::error::Error;

/// Why something could not be done. [`Self::is_peer_fault`] says whether refusing the input is the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MlsError {
    /// Peer: the message is of another epoch. `theirs > ours`: this device lacks a commit. `theirs < ours`: too late.
    #[error("the message belongs to epoch {theirs} of the chat, this device is in epoch {ours}")]
    NotForThisEpoch {
        /// The group's epoch.
        ours: u64,
        /// The message's epoch, as it says.
        theirs: u64,
    },
    /// Peer: its key was used already: a replay, or a sender that went back to an older copy of its state.
    #[error("the message was read before, or its sender went back to an older copy of its state")]
    AlreadySeen,
    /// Peer: of this epoch, but no key of this device opens it.
    #[error("the message cannot be decrypted with the keys of this device")]
    Undecryptable,
    /// Peer: it says that this device's own leaf sent it. Own messages are known by their hash, not by decrypting.
    #[error("the message was sent by this device itself")]
    OwnMessage,
    /// Peer: not a message of this group, or not one that Aside sends.
    #[error("the message is malformed: {0}")]
    Unreadable(String),
    /// Peer: a commit that is invalid, or does more than Aside's commits may do.
    #[error("the commit is refused: {0}")]
    BadCommit(String),
    /// Peer: a welcome that does not lead into a group of ours.
    #[error("the invitation is refused: {0}")]
    BadWelcome(String),
    /// Peer: the welcome is for a key package that this device no longer has, or never had.
    #[error("the invitation is for a key package that this device does not have")]
    NoKeyPackage,
    /// Peer: the key package must not be added.
    #[error("the key package is refused: {0}")]
    BadKeyPackage(BadKeyPackage),

    /// Caller: the device has no leaf in the group.
    #[error("{0:?} has no leaf in the group")]
    NotMember(DeviceId),
    /// Caller: the group has removed this device; it reads and sends nothing any more.
    #[error("this device was removed from the chat")]
    Left,
    /// Caller: an own commit waits to be merged or discarded.
    #[error("an own commit is pending")]
    Pending,
    /// Caller: no own commit waits.
    #[error("no own commit is pending")]
    NoPending,
    /// Caller: the secret of this epoch was handed out already; it exists once.
    #[error("the receipt secret of this epoch was exported already")]
    AlreadyExported,

    /// The storage failed. Roll the transaction back; the text says why.
    #[error("the database failed: {0}")]
    Storage(String),
    /// Neither side's fault, or a storage fault that the library hides. Roll the transaction back.
    #[error("unexpected failure in the MLS library: {0}")]
    Bug(String),
}

/// What is wrong with a key package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyPackage {
    /// Longer than allowed, not a key package, or not valid in itself.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A signature in it does not hold.
    #[error("its signature does not hold")]
    Signature,
    /// Of another ciphersuite than asked for.
    #[error("it is for another ciphersuite")]
    Suite,
    /// Lacks what every leaf of ours advertises.
    #[error("it does not support what the chat needs")]
    Capabilities,
    /// A lifetime that would make validity depend on clocks.
    #[error("its lifetime is limited by clocks")]
    Lifetime,
    /// Its credential is of another account.
    #[error("it belongs to another account")]
    Account,
    /// Its credential is of another device.
    #[error("it belongs to another device")]
    Device,
    /// Its signature key is not the one in the device list.
    #[error("its key is not the one in the device list")]
    Key,
    /// Its credential says that it should not be used any more.
    #[error("it has expired")]
    Expired,
}

impl MlsError {
    /// Whether the input is at fault: refuse it, and go on. Group and storage then still agree.
    pub fn is_peer_fault(&self) -> bool {
        use MlsError::*;
        matches!(
            self,
            NotForThisEpoch { .. }
                | AlreadySeen
                | Undecryptable
                | OwnMessage
                | Unreadable(_)
                | BadCommit(_)
                | BadWelcome(_)
                | NoKeyPackage
                | BadKeyPackage(_)
        )
    }
}

/// A storage error with all that caused it, since "disk full" is often at the end of the chain.
pub(super) fn storage(error: impl Error) -> MlsError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    MlsError::Storage(text)
}

pub(super) fn bug(error: impl std::fmt::Display) -> MlsError {
    MlsError::Bug(error.to_string())
}

/// Processing a peer's message. Library errors count as the peer's: one poisonous message must not block the chat.
pub(super) fn process<E: Error>(error: ProcessMessageError<E>) -> MlsError {
    match error {
        ProcessMessageError::StorageError(e) => storage(e),
        ProcessMessageError::InvalidCommit(e) => stage(e),
        ProcessMessageError::ValidationError(e) => validation(e),
        ProcessMessageError::GroupStateError(MlsGroupStateError::UseAfterEviction) => MlsError::Left,
        other => MlsError::Unreadable(other.to_string()),
    }
}

fn stage(error: StageCommitError) -> MlsError {
    match error {
        // Only a failed read of this device's own keys leads here.
        StageCommitError::MissingDecryptionKey => MlsError::Storage("the group's own keys cannot be read".into()),
        other => MlsError::BadCommit(other.to_string()),
    }
}

fn validation(error: ValidationError) -> MlsError {
    use MessageDecryptionError as D;
    use SecretTreeError as T;
    match error {
        ValidationError::UnableToDecrypt(D::SecretTreeError(T::SecretReuseError | T::TooDistantInThePast)) => {
            MlsError::AlreadySeen
        }
        ValidationError::UnableToDecrypt(
            D::AeadError | D::GenerationOutOfBound | D::SecretTreeError(T::TooDistantInTheFuture),
        ) => MlsError::Undecryptable,
        other => MlsError::Unreadable(other.to_string()),
    }
}

pub(super) fn welcome<E: Error>(error: WelcomeError<E>) -> MlsError {
    match error {
        WelcomeError::StorageError(e) => storage(e),
        WelcomeError::NoMatchingKeyPackage => MlsError::NoKeyPackage,
        other => MlsError::BadWelcome(other.to_string()),
    }
}

pub(super) fn create<E: Error>(error: NewGroupError<E>) -> MlsError {
    match error {
        NewGroupError::StorageError(e) => storage(e),
        other => bug(other),
    }
}

pub(super) fn message(error: CreateMessageError) -> MlsError {
    match error {
        CreateMessageError::GroupStateError(MlsGroupStateError::UseAfterEviction) => MlsError::Left,
        other => bug(other),
    }
}

/// Building a commit: what it adds was checked before, so a failure is a bug, whatever the library calls it.
pub(super) fn build(error: CreateCommitError) -> MlsError {
    bug(error)
}

pub(super) fn staged<E: Error>(error: CommitBuilderStageError<E>) -> MlsError {
    match error {
        CommitBuilderStageError::KeyStoreError(e) => storage(e),
        other => bug(other),
    }
}

pub(super) fn merge<E: Error>(error: MergeCommitError<E>) -> MlsError {
    match error {
        MergeCommitError::StorageError(e) => storage(e),
        other => bug(other),
    }
}

pub(super) fn merge_own<E: Error>(error: MergePendingCommitError<E>) -> MlsError {
    match error {
        MergePendingCommitError::MergeCommitError(e) => merge(e),
        MergePendingCommitError::MlsGroupStateError(MlsGroupStateError::UseAfterEviction) => MlsError::Left,
        other => bug(other),
    }
}

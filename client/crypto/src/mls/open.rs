//! Opening what a peer sent: content, or a commit with its facts.

use super::ahead::Ahead;
use super::commit::StagedCommitFacts;
use super::error::{MlsError, process};
use super::group::Group;
use super::leaf::Leaf;
use super::scope::{Scope, Storage};
use aside_protocol::content::{Aad, Content, unpad};
use aside_protocol::{Body, codec};
use bytes::Bytes;
use openmls::prelude::{
    ContentType, DeserializeBytes, LeafNodeIndex, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent,
    ProtocolMessage, Sender,
};
use zeroize::Zeroizing;

/// A message whose sender is authenticated.
#[derive(Debug)]
pub struct Opened {
    /// What the sender bound to it.
    pub aad: Aad,
    /// The sender's leaf.
    pub from: Leaf,
    /// What it is.
    pub what: What,
}

/// What a message carries.
#[derive(Debug)]
pub enum What {
    /// Something to read.
    Content(Box<Content>),
    /// A change of the group, for the caller to judge and then [`Group::merge`] or drop.
    Commit(Box<StagedCommitFacts>),
}

impl Group {
    /// Decrypts and verifies a message, and advances the ratchet it used.
    ///
    /// The epoch is compared before anything else, so a message of another epoch changes nothing. After a peer's
    /// fault group and storage still agree, though the message's key may be spent.
    pub fn open<S: Storage>(&mut self, scope: &Scope<'_, S>, body: &Body) -> Result<Opened, MlsError> {
        let opened = self.open_ahead(scope, body);
        self.save(scope)?;
        opened
    }

    /// As [`Self::open`], but leaves the ratchet's new state in memory, for [`Self::save`] to write once for many
    /// messages.
    pub fn open_ahead<S: Storage>(&mut self, scope: &Scope<'_, S>, body: &Body) -> Result<Opened, MlsError> {
        let message = self.read(body)?;
        let ahead = Ahead::of(scope.storage());
        let processed = self.mls.process_message(&scope.through(&ahead), message);
        self.unsaved |= ahead.kept_back();
        let processed = processed.map_err(process)?;
        if matches!(
            processed.content(),
            ProcessedMessageContent::OwnPrivateMessage | ProcessedMessageContent::OwnPendingCommit
        ) {
            return Err(MlsError::OwnMessage);
        }
        let Sender::Member(sender) = *processed.sender() else {
            return Err(MlsError::Unreadable("its sender is not a member".into()));
        };
        let aad = codec::decode(&Bytes::copy_from_slice(processed.aad())).map_err(unreadable)?;
        let from = Leaf::at(&self.mls, sender).map_err(MlsError::Unreadable)?;
        let what = self.classify(sender, processed.into_content())?;
        Ok(Opened { aad, from, what })
    }

    /// A private message of this group and epoch, still encrypted.
    fn read(&self, body: &Body) -> Result<ProtocolMessage, MlsError> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(body).map_err(unreadable)?;
        let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else {
            return Err(MlsError::Unreadable("not a private message".into()));
        };
        let message = ProtocolMessage::from(message);
        if message.group_id() != self.mls.group_id() {
            return Err(MlsError::Unreadable("it belongs to another group".into()));
        }
        if message.content_type() == ContentType::Proposal {
            return Err(MlsError::Unreadable("a standalone proposal".into()));
        }
        if !self.is_active() {
            return Err(MlsError::Left);
        }
        let (ours, theirs) = (self.epoch(), message.epoch().as_u64());
        if ours == theirs { Ok(message) } else { Err(MlsError::NotForThisEpoch { ours, theirs }) }
    }

    fn classify(&self, sender: LeafNodeIndex, content: ProcessedMessageContent) -> Result<What, MlsError> {
        match content {
            ProcessedMessageContent::ApplicationMessage(message) => {
                let plain = Zeroizing::new(message.into_bytes());
                Ok(What::Content(Box::new(unpad(&plain).map_err(unreadable)?)))
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                Ok(What::Commit(Box::new(StagedCommitFacts::read(&self.mls, sender, *staged)?)))
            }
            _ => Err(MlsError::Unreadable("a kind of message that Aside does not send".into())),
        }
    }
}

fn unreadable(error: impl std::fmt::Display) -> MlsError {
    MlsError::Unreadable(error.to_string())
}

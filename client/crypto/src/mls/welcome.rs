//! Welcomes: read, inspected by the caller, then joined, all in one transaction.

use super::config::{self, Terms};
use super::error::{MlsError, welcome as failed};
use super::group::Group;
use super::leaf::Leaf;
use super::scope::{Me, Scope, Storage};
use aside_protocol::group::Pack;
use openmls::group::{JoinBuilder, ProcessedWelcome, StagedWelcome};
use openmls::prelude::{DeserializeBytes, MlsMessageBodyIn, MlsMessageIn, Welcome};
use std::fmt;

/// A group this device is invited to. Nothing is stored yet, but a one-time key package is spent.
pub struct Staged {
    staged: StagedWelcome,
    terms: Terms,
    pack: Option<Pack>,
    roster: Vec<Leaf>,
    from: Leaf,
}

impl<S: Storage> Scope<'_, S> {
    /// Decrypts and verifies a welcome. Lifetimes are not looked at: no clock decides what a member accepts.
    ///
    /// Deletes the one-time key package it was made for. After an error roll back to before the call, or a forged
    /// welcome burns a package. [`MlsError::NoKeyPackage`]: not for this device, or for a package it has lost.
    pub fn read_welcome(&self, welcome: &[u8]) -> Result<Staged, MlsError> {
        let welcome = read(welcome)?;
        let processed = ProcessedWelcome::new_from_welcome(self, &config::join_config(), welcome).map_err(failed)?;
        if !processed.psks().is_empty() {
            return Err(refused("it wants a pre-shared key"));
        }
        let pack = config::read_pack(processed.unverified_group_info().extensions()).map_err(refused)?;
        // Its signature, and with it the pack's, is verified here.
        let staged =
            JoinBuilder::new(self, processed).skip_lifetime_validation().replace_old_group().build().map_err(failed)?;
        Staged::check(staged, pack, self.me)
    }
}

fn read(welcome: &[u8]) -> Result<Welcome, MlsError> {
    match MlsMessageIn::tls_deserialize_exact_bytes(welcome).map(MlsMessageIn::extract) {
        Ok(MlsMessageBodyIn::Welcome(welcome)) => Ok(welcome),
        Ok(_) => Err(refused("not a welcome")),
        Err(e) => Err(refused(e)),
    }
}

impl Staged {
    fn check(staged: StagedWelcome, pack: Option<Pack>, me: &Me) -> Result<Self, MlsError> {
        let group = staged.group_context();
        let terms = config::read_terms(group.extensions()).map_err(refused)?;
        if pack.is_some() != terms.state.is_some() {
            return Err(refused("no pack for a group, or one for a direct chat"));
        }
        let suite = config::suite_of(terms.context.kind).ok_or_else(|| refused("an unknown kind of chat"))?;
        if group.ciphersuite() != config::ciphersuite(suite)? {
            return Err(refused("a ciphersuite that is not the one of its kind of chat"));
        }
        let roster: Vec<Leaf> =
            staged.members().map(|member| Leaf::of_member(&member)).collect::<Result<_, _>>().map_err(refused)?;
        let sender = staged.welcome_sender().map_err(refused)?;
        let (from, _) = Leaf::of_node(sender).map_err(refused)?;
        let own = staged.own_leaf_node().ok_or_else(|| refused("no leaf for this device"))?;
        let (own, _) = Leaf::of_node(own).map_err(refused)?;
        if (own.root, own.device, own.key) != (me.root, me.device, me.key.public()) {
            return Err(refused("its leaf is not this device's"));
        }
        Ok(Self { staged, terms, pack, roster, from })
    }

    /// The group's id.
    pub fn group_id(&self) -> Vec<u8> {
        self.staged.group_context().group_id().to_vec()
    }

    /// The epoch it would be joined in. A welcome for a (group, epoch) seen before must be refused.
    pub fn epoch(&self) -> u64 {
        self.staged.group_context().epoch().as_u64()
    }

    /// The chat the group says it belongs to, and what it says of itself.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What the inviter tells of a group's accounts; always there in groups and channels, signed, not yet checked.
    pub fn pack(&self) -> Option<&Pack> {
        self.pack.as_ref()
    }

    /// Its members, this device included, in leaf order.
    pub fn roster(&self) -> &[Leaf] {
        &self.roster
    }

    /// Who made the commit and the welcome.
    pub fn from(&self) -> &Leaf {
        &self.from
    }

    /// Joins, replacing what this device had of an earlier membership of the same group.
    ///
    /// [`MlsError::AlreadySeen`] if the group here is as new or newer: an old welcome must not turn it back.
    pub fn join<S: Storage>(self, scope: &Scope<'_, S>) -> Result<Group, MlsError> {
        if let Some(old) = scope.load(&self.group_id())? {
            let oldest = if old.is_active() { old.epoch().saturating_add(1) } else { old.epoch() };
            if self.epoch() < oldest {
                return Err(MlsError::AlreadySeen);
            }
            scope.delete(old)?;
        }
        self.staged.into_group(scope).map(Group::new).map_err(failed)
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged")
            .field("epoch", &self.epoch())
            .field("terms", &self.terms)
            .field("roster", &self.roster)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

fn refused(why: impl fmt::Display) -> MlsError {
    MlsError::BadWelcome(why.to_string())
}

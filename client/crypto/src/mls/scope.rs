//! What MLS work needs: randomness and primitives, one transaction's storage, and who this device is.

use super::error::{MlsError, bug, storage};
use super::group::Group;
use super::leaf::identity;
use super::primitives::Primitives;
use super::signer::LeafSigner;
use crate::DeviceKey;
use aside_protocol::{DeviceId, Millis, PublicKey};
use openmls::group::{GroupId, MlsGroup};
use openmls::prelude::CredentialWithKey;
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::OpenMlsProvider;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};
use std::fmt;

/// Where MLS state is kept. Every `openmls` storage of the current version is one.
pub trait Storage: StorageProvider<CURRENT_VERSION> {}

impl<S: StorageProvider<CURRENT_VERSION>> Storage for S {}

/// Who this device is.
#[derive(Debug)]
pub struct Me {
    /// The account's root key.
    pub root: PublicKey,
    /// The device.
    pub device: DeviceId,
    /// Its key, the one in the account's device list.
    pub key: DeviceKey,
}

/// Primitives and randomness. One per process is enough; it holds no state of any group.
pub struct Mls(Primitives);

impl Mls {
    /// Seeds its random generator from the operating system, which is all that can fail.
    pub fn new() -> Result<Self, MlsError> {
        CryptoProvider::new()
            .map(|provider| Self(Primitives(provider)))
            .map_err(|e| bug(format!("no randomness: {e:?}")))
    }
}

impl fmt::Debug for Mls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mls")
    }
}

/// One transaction's view: everything read and written goes through `storage`.
pub struct Scope<'a, S> {
    mls: &'a Mls,
    storage: &'a S,
    pub(super) me: &'a Me,
}

impl<'a, S: Storage> Scope<'a, S> {
    /// For the length of one transaction.
    pub fn new(mls: &'a Mls, storage: &'a S, me: &'a Me) -> Self {
        Self { mls, storage, me }
    }

    /// The group as the storage has it, or `None` if it was never founded or joined here.
    pub fn load(&self, group_id: &[u8]) -> Result<Option<Group>, MlsError> {
        let loaded = MlsGroup::load(self.storage, &GroupId::from_slice(group_id)).map_err(storage)?;
        Ok(loaded.map(Group::new))
    }

    /// Forgets a group's state: nothing of it can be read or sent any more.
    pub fn delete(&self, mut group: Group) -> Result<(), MlsError> {
        group.mls.delete(self.storage).map_err(storage)
    }

    pub(super) fn storage(&self) -> &'a S {
        self.storage
    }

    /// The same, through another storage.
    pub(super) fn through<'b, T: Storage>(&self, storage: &'b T) -> Scope<'b, T>
    where
        'a: 'b,
    {
        Scope { mls: self.mls, storage, me: self.me }
    }

    pub(super) fn signer(&self) -> LeafSigner<'a> {
        LeafSigner(&self.me.key)
    }

    /// This device's credential. `not_after` binds only those who would add the leaf.
    pub(super) fn credential(&self, not_after: Millis) -> CredentialWithKey {
        let credential = identity(self.me.root, self.me.device, not_after);
        CredentialWithKey { credential, signature_key: self.me.key.public().0.as_slice().into() }
    }
}

impl<S: Storage> OpenMlsProvider for Scope<'_, S> {
    type CryptoProvider = Primitives;
    type RandProvider = CryptoProvider;
    type StorageProvider = S;

    fn storage(&self) -> &S {
        self.storage
    }

    fn crypto(&self) -> &Primitives {
        &self.mls.0
    }

    fn rand(&self) -> &CryptoProvider {
        &self.mls.0.0
    }
}

impl<S> fmt::Debug for Scope<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("me", self.me).finish_non_exhaustive()
    }
}

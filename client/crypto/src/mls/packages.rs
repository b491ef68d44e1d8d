//! Key packages: making our own, checking others' before they are added (rules `MLS-4`, `MLS-5`).

use super::config;
use super::error::{BadKeyPackage, MlsError, bug};
use super::leaf::Leaf;
use super::scope::{Scope, Storage};
use aside_protocol::device_list::DeviceEntry;
use aside_protocol::limits::MAX_KEY_PACKAGE;
use aside_protocol::request::Suite;
use aside_protocol::{Body, Millis, PublicKey};
use openmls::prelude::{
    DeserializeBytes, KeyPackage, KeyPackageIn, KeyPackageNewError, KeyPackageVerifyError, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, ProtocolVersion,
};
use openmls_traits::OpenMlsProvider;

/// A key package that may be added: only [`Scope::check_key_package`] makes one.
#[derive(Clone)]
pub struct CheckedKeyPackage {
    pub(super) package: KeyPackage,
    pub(super) suite: Suite,
    leaf: Leaf,
}

impl CheckedKeyPackage {
    /// The leaf it would become.
    pub fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// Whether it was the account's last resort, given out more than once.
    pub fn last_resort(&self) -> bool {
        self.package.last_resort()
    }
}

impl std::fmt::Debug for CheckedKeyPackage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckedKeyPackage").field("leaf", &self.leaf).field("suite", &self.suite).finish()
    }
}

impl<S: Storage> Scope<'_, S> {
    /// Makes a key package, whose private half goes to the storage. Nobody should add it after `not_after`.
    ///
    /// One-time packages are deleted from the storage by [`Scope::read_welcome`]; a last resort stays.
    pub fn key_package(&self, suite: Suite, last_resort: bool, not_after: Millis) -> Result<Body, MlsError> {
        let suite = config::ciphersuite(suite)?;
        let builder = KeyPackage::builder()
            .key_package_lifetime(config::lifetime())
            .leaf_node_capabilities(config::capabilities());
        let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
        let bundle = builder.build(suite, self, &self.signer(), self.credential(not_after)).map_err(|e| match e {
            KeyPackageNewError::StorageError => MlsError::Storage("a key package cannot be stored".into()),
            other => bug(other),
        })?;
        encoded(bundle.into_key_package())
    }

    /// Checks that a key package is valid, of this suite, of this device of this account, and not expired at `now`.
    ///
    /// `entry` must come from the account's verified device list. Fails with [`MlsError::BadKeyPackage`] only.
    pub fn check_key_package(
        &self,
        bytes: &Body,
        root: &PublicKey,
        entry: &DeviceEntry,
        suite: Suite,
        now: Millis,
    ) -> Result<CheckedKeyPackage, MlsError> {
        self.check(bytes, root, entry, suite, now).map_err(MlsError::BadKeyPackage)
    }

    fn check(
        &self,
        bytes: &Body,
        root: &PublicKey,
        entry: &DeviceEntry,
        suite: Suite,
        now: Millis,
    ) -> Result<CheckedKeyPackage, BadKeyPackage> {
        let package = read(bytes)?.validate(self.crypto(), ProtocolVersion::Mls10).map_err(invalid)?;
        let (leaf, not_after) = usable(&package)?;
        let refused = [
            (config::ciphersuite(suite).ok() != Some(package.ciphersuite()), BadKeyPackage::Suite),
            (leaf.root != *root, BadKeyPackage::Account),
            (leaf.device != entry.device, BadKeyPackage::Device),
            (leaf.key != entry.key, BadKeyPackage::Key),
            (now > not_after, BadKeyPackage::Expired),
        ];
        match refused.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, why)) => Err(why),
            None => Ok(CheckedKeyPackage { package, suite, leaf }),
        }
    }
}

/// What must hold for any leaf that is added, by us or by a peer, whatever the clock says.
pub(super) fn usable(package: &KeyPackage) -> Result<(Leaf, Millis), BadKeyPackage> {
    let node = package.leaf_node();
    if !config::are_enough(node.capabilities()) {
        return Err(BadKeyPackage::Capabilities);
    }
    if *package.life_time() != config::lifetime() {
        return Err(BadKeyPackage::Lifetime);
    }
    Leaf::of_node(node).map_err(BadKeyPackage::Malformed)
}

/// A key package as it travels: an MLS message.
pub(super) fn encoded(package: KeyPackage) -> Result<Body, MlsError> {
    MlsMessageOut::from(package).to_bytes().map(Body::from).map_err(bug)
}

fn read(bytes: &Body) -> Result<KeyPackageIn, BadKeyPackage> {
    if bytes.len() > MAX_KEY_PACKAGE {
        return Err(BadKeyPackage::Malformed(format!("{} bytes are too many", bytes.len())));
    }
    let message =
        MlsMessageIn::tls_deserialize_exact_bytes(bytes).map_err(|e| BadKeyPackage::Malformed(e.to_string()))?;
    match message.extract() {
        MlsMessageBodyIn::KeyPackage(package) => Ok(package),
        _ => Err(BadKeyPackage::Malformed("another kind of MLS message".into())),
    }
}

fn invalid(error: KeyPackageVerifyError) -> BadKeyPackage {
    match error {
        KeyPackageVerifyError::InvalidSignature | KeyPackageVerifyError::InvalidLeafNodeSignature => {
            BadKeyPackage::Signature
        }
        KeyPackageVerifyError::LifetimeError(_) | KeyPackageVerifyError::MissingLifetime => BadKeyPackage::Lifetime,
        other => BadKeyPackage::Malformed(other.to_string()),
    }
}

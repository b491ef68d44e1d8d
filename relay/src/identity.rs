//! The relay's identity: an Ed25519 key made at the first start. Its hash is the pin that invites carry.
//!
//! The key signs hello-ok, and as a certificate authority the certificate of each start (rule `HTT-2`). It never
//! leaves its file.

use crate::data::private;
use aside_protocol::{Hash, PublicKey, Signature, login};
use aws_lc_rs::hmac;
use ed25519_dalek::{Signer, SigningKey};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// The name in every node's certificate; clients ask for it whatever address they connect to.
pub const SERVER_NAME: &str = "aside-relay";

/// DER of a PKCS #8 Ed25519 key up to its seed (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// Why there is no identity; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error("the relay's identity key cannot be read or written: {0}")]
    File(#[from] io::Error),
    /// The file is damaged.
    #[error("identity.key is damaged; restore it from a backup (without it, clients no longer know this relay)")]
    Damaged,
    /// No certificate could be made.
    #[error("the relay's certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// The identity key.
pub struct Identity {
    key: SigningKey,
}

/// A node's certificate chain and its key, for TLS.
pub struct NodeCertificate {
    /// The node's certificate, then the identity's.
    pub chain: Vec<CertificateDer<'static>>,
    /// The node's key.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads the seed, or makes it at the first start.
    pub fn open(path: &Path) -> Result<Self, IdentityError> {
        let mut file = private(path.to_owned(), false)?;
        let mut seed = Zeroizing::new(Vec::with_capacity(64));
        (&mut file).take(64).read_to_end(&mut seed)?;
        if seed.is_empty() {
            seed.resize(32, 0);
            getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
            file.write_all(&seed)?;
            file.sync_all()?;
        }
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.as_slice().try_into().map_err(|_| IdentityError::Damaged)?);
        Ok(Self::from_seed(&seed))
    }

    /// The identity behind a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// What invites carry.
    pub fn pin(&self) -> Hash {
        login::pin(&self.public())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.key.sign(message).to_bytes())
    }

    /// A key for something else that has to be the same after a restart, and tells nothing of the identity key.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.as_bytes());
        let mut derived = Zeroizing::new([0; 32]);
        derived.copy_from_slice(hmac::sign(&key, label.as_bytes()).as_ref());
        derived
    }

    /// Makes a fresh key and a certificate for it, signed by the identity. Clocks decide nothing: both certificates
    /// are valid as long as the format can say.
    pub fn node_certificate(&self) -> Result<NodeCertificate, IdentityError> {
        let authority_key = self.rcgen_key()?;
        let authority_params = authority_params()?;
        let authority = authority_params.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority_params, authority_key);
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let node = node_params()?.signed_by(&key, &issuer)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(NodeCertificate { chain: vec![node.der().clone(), authority.der().clone()], key: private })
    }

    fn rcgen_key(&self) -> Result<KeyPair, IdentityError> {
        let mut der = Zeroizing::new(PKCS8_PREFIX.to_vec());
        der.extend_from_slice(self.key.as_bytes());
        let der = PrivatePkcs8KeyDer::from(der.as_slice());
        Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519)?)
    }
}

fn authority_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = params(Vec::new(), "aside-relay identity")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params)
}

fn node_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = params(vec![SERVER_NAME.to_owned()], SERVER_NAME)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(names: Vec<String>, common: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params.not_before = rcgen::date_time_ymd(1975, 1, 1);
    params.not_after = rcgen::date_time_ymd(4096, 1, 1);
    Ok(params)
}

//! The primitives the MLS library computes with: libcrux for all but checking signatures and SHA-256.
//!
//! Checking one signature a message is most of what reading costs, and libcrux takes four times as long for it as
//! curve25519-dalek. It is checked the way every other signature of Aside is (RFC 8032, strict), so that no two places
//! judge one differently.

use super::{hpke, sha256};
use aside_protocol::{PublicKey, Signature};
use openmls::prelude::tls_codec::SecretVLBytes;
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, KemOutput,
    SignatureScheme,
};

type Bytes = Result<Vec<u8>, CryptoError>;
type Secret = Result<SecretVLBytes, CryptoError>;

/// Primitives and randomness; holds no state of any group.
pub struct Primitives(pub(super) CryptoProvider);

impl OpenMlsCrypto for Primitives {
    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        if alg != SignatureScheme::ED25519 {
            return Err(CryptoError::UnsupportedSignatureScheme);
        }
        let key = PublicKey::from_slice(pk).ok_or(CryptoError::InvalidLength)?;
        let signature = Signature::from_slice(signature).ok_or(CryptoError::InvalidLength)?;
        if key.verifies(data, &signature) { Ok(()) } else { Err(CryptoError::InvalidSignature) }
    }

    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        self.0.supports(ciphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.0.supported_ciphersuites()
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Secret {
        match hash {
            HashType::Sha2_256 => Ok(sha256::extract(salt, ikm).into()),
            other => self.0.hkdf_extract(other, salt, ikm),
        }
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Secret {
        match hash {
            HashType::Sha2_256 => Ok(sha256::extract(key, message).into()),
            other => self.0.hmac(other, key, message),
        }
    }

    fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], okm_len: usize) -> Secret {
        match hash {
            HashType::Sha2_256 => match sha256::expand(prk, info, okm_len) {
                Some(out) => Ok(out.into()),
                None => Err(CryptoError::HkdfOutputLengthInvalid),
            },
            other => self.0.hkdf_expand(other, prk, info, okm_len),
        }
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Bytes {
        match hash {
            HashType::Sha2_256 => Ok(sha256::hash(data)),
            other => self.0.hash(other, data),
        }
    }

    fn aead_encrypt(&self, alg: AeadType, key: &[u8], data: &[u8], nonce: &[u8], aad: &[u8]) -> Bytes {
        self.0.aead_encrypt(alg, key, data, nonce, aad)
    }

    fn aead_decrypt(&self, alg: AeadType, key: &[u8], ct_tag: &[u8], nonce: &[u8], aad: &[u8]) -> Bytes {
        self.0.aead_decrypt(alg, key, ct_tag, nonce, aad)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.0.signature_key_gen(alg)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Bytes {
        self.0.sign(alg, data, key)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        match hpke::seal(&config, pk_r, info, aad, ptxt) {
            Some(sealed) => sealed,
            None => self.0.hpke_seal(config, pk_r, info, aad, ptxt),
        }
    }

    fn hpke_open(&self, config: HpkeConfig, input: &HpkeCiphertext, sk_r: &[u8], info: &[u8], aad: &[u8]) -> Bytes {
        match hpke::open(&config, input, sk_r, info, aad) {
            Some(opened) => opened,
            None => self.0.hpke_open(config, input, sk_r, info, aad),
        }
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        self.0.hpke_setup_sender_and_export(config, pk_r, info, exporter_context, exporter_length)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.0.hpke_setup_receiver_and_export(config, enc, sk_r, info, exporter_context, exporter_length)
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        self.0.derive_hpke_keypair(config, ikm)
    }
}

//! HPKE (RFC 9180) as the MLS library's provider has it, with our SHA-256 in it. Key encapsulation and encryption are
//! libcrux's.

use super::sha256;
use hpke_rs::{Hpke, HpkePublicKey, Mode};
use hpke_rs_crypto::HpkeCrypto;
use hpke_rs_crypto::error::Error;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_libcrux::HpkeLibcrux;
use openmls_traits::types::{CryptoError, HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType};

/// Encrypts for a public key. `None`: not one of the suites that Aside has.
pub(super) fn seal(
    config: &HpkeConfig,
    to: &[u8],
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
) -> Option<Result<HpkeCiphertext, CryptoError>> {
    let sealed = of(config)?.seal(&HpkePublicKey::new(to.to_vec()), info, aad, plain, None, None, None);
    Some(match sealed {
        Ok((output, ciphertext)) => Ok(HpkeCiphertext { kem_output: output.into(), ciphertext: ciphertext.into() }),
        Err(hpke_rs::HpkeError::InvalidConfig) => Err(CryptoError::SenderSetupError),
        Err(_) => Err(CryptoError::HpkeEncryptionError),
    })
}

/// Decrypts with a secret key. `None`: not one of the suites that Aside has.
pub(super) fn open(
    config: &HpkeConfig,
    input: &HpkeCiphertext,
    key: &[u8],
    info: &[u8],
    aad: &[u8],
) -> Option<Result<Vec<u8>, CryptoError>> {
    let (output, ciphertext) = (input.kem_output.as_ref(), input.ciphertext.as_ref());
    let opened = of(config)?.open(output, &key.to_vec().into(), info, aad, ciphertext, None, None, None);
    Some(opened.map_err(|error| match error {
        hpke_rs::HpkeError::InvalidConfig => CryptoError::ReceiverSetupError,
        _ => CryptoError::HpkeDecryptionError,
    }))
}

fn of(config: &HpkeConfig) -> Option<Hpke<Ours>> {
    let HpkeConfig(kem, kdf, aead) = config;
    let kem = match kem {
        HpkeKemType::DhKem25519 => KemAlgorithm::DhKem25519,
        HpkeKemType::XWingKemDraft6 => KemAlgorithm::XWingDraft06,
        _ => return None,
    };
    let ours = matches!((kdf, aead), (HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305));
    ours.then(|| Hpke::new(Mode::Base, kem, KdfAlgorithm::HkdfSha256, AeadAlgorithm::ChaCha20Poly1305))
}

/// libcrux, but for the key derivation.
#[derive(Debug)]
struct Ours;

impl HpkeCrypto for Ours {
    type HpkePrng = <HpkeLibcrux as HpkeCrypto>::HpkePrng;

    fn name() -> String {
        "libcrux with sha2".into()
    }

    fn kdf_extract(alg: KdfAlgorithm, salt: &[u8], input: &[u8]) -> Result<Vec<u8>, Error> {
        match alg {
            KdfAlgorithm::HkdfSha256 => Ok(sha256::extract(salt, input)),
            other => HpkeLibcrux::kdf_extract(other, salt, input),
        }
    }

    fn kdf_expand(alg: KdfAlgorithm, key: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Error> {
        match alg {
            KdfAlgorithm::HkdfSha256 => sha256::expand(key, info, length).ok_or(Error::HpkeInvalidOutputLength),
            other => HpkeLibcrux::kdf_expand(other, key, info, length),
        }
    }

    fn supports_kdf(alg: KdfAlgorithm) -> Result<(), Error> {
        HpkeLibcrux::supports_kdf(alg)
    }

    fn supports_kem(alg: KemAlgorithm) -> Result<(), Error> {
        HpkeLibcrux::supports_kem(alg)
    }

    fn supports_aead(alg: AeadAlgorithm) -> Result<(), Error> {
        HpkeLibcrux::supports_aead(alg)
    }

    fn prng() -> Self::HpkePrng {
        HpkeLibcrux::prng()
    }

    fn dh(alg: KemAlgorithm, public: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::dh(alg, public, secret)
    }

    fn secret_to_public(alg: KemAlgorithm, secret: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::secret_to_public(alg, secret)
    }

    fn kem_key_gen(alg: KemAlgorithm, prng: &mut Self::HpkePrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        HpkeLibcrux::kem_key_gen(alg, prng)
    }

    fn kem_key_gen_derand(alg: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        HpkeLibcrux::kem_key_gen_derand(alg, seed)
    }

    fn kem_encaps(alg: KemAlgorithm, to: &[u8], prng: &mut Self::HpkePrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        HpkeLibcrux::kem_encaps(alg, to, prng)
    }

    fn kem_decaps(alg: KemAlgorithm, ciphertext: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::kem_decaps(alg, ciphertext, secret)
    }

    fn dh_validate_sk(alg: KemAlgorithm, secret: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::dh_validate_sk(alg, secret)
    }

    fn aead_seal(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::aead_seal(alg, key, nonce, aad, plain)
    }

    fn aead_open(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeLibcrux::aead_open(alg, key, nonce, aad, sealed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use openmls_libcrux_crypto::CryptoProvider;
    use openmls_traits::crypto::OpenMlsCrypto;

    /// What one seals the other opens: both are the same HPKE.
    #[test]
    fn agrees_with_libcrux() {
        let libcrux = CryptoProvider::new().unwrap();
        for kem in [HpkeKemType::XWingKemDraft6, HpkeKemType::DhKem25519] {
            let config = || HpkeConfig(kem, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305);
            let keys = libcrux.derive_hpke_keypair(config(), &[5; 32]).unwrap();
            let (info, aad, plain) = (vec![1; 100_000], b"aad", b"plain");
            let ours = seal(&config(), &keys.public, &info, aad, plain).unwrap().unwrap();
            assert_eq!(libcrux.hpke_open(config(), &ours, &keys.private, &info, aad).unwrap(), plain);
            let theirs = libcrux.hpke_seal(config(), &keys.public, &info, aad, plain).unwrap();
            assert_eq!(open(&config(), &theirs, &keys.private, &info, aad).unwrap().unwrap(), plain);
            assert!(open(&config(), &theirs, &keys.private, &info, b"other").unwrap().is_err());
        }
    }
}

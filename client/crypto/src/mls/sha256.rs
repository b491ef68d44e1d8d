//! SHA-256 and what is made of it, by the `sha2` crate, which uses the processor's own instructions; libcrux has none and
//! takes five to eight times as long.
//!
//! Big groups hash much: each leaf of a welcome binds all of the encrypted group info, which holds the tree. That one long
//! input, the same for each leaf, is hashed once.

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use std::cell::RefCell;

/// Inputs from here on are remembered, the last one of a thread. They are never secret: secrets are short.
const LONG: usize = 64 << 10;

/// The last long input, and what came of it.
struct Last {
    salt: Vec<u8>,
    input: Vec<u8>,
    extracted: Vec<u8>,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// SHA-256.
pub(super) fn hash(data: &[u8]) -> Vec<u8> {
    Sha256::digest(data).to_vec()
}

/// HMAC, which is what extracting is too (RFC 5869 section 2.2).
pub(super) fn extract(salt: &[u8], input: &[u8]) -> Vec<u8> {
    let extract = || Hkdf::<Sha256>::extract(Some(salt), input).0.to_vec();
    if input.len() < LONG {
        return extract();
    }
    LAST.with_borrow_mut(|last| match last {
        Some(last) if last.salt == salt && last.input == input => last.extracted.clone(),
        _ => {
            let extracted = extract();
            *last = Some(Last { salt: salt.to_vec(), input: input.to_vec(), extracted: extracted.clone() });
            extracted
        }
    })
}

/// Forgets the long input: it is as large as a group's tree.
pub(super) fn forget() {
    LAST.with_borrow_mut(|last| *last = None);
}

/// HKDF's second half; none if the key is too short or the output too long.
pub(super) fn expand(key: &[u8], info: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; length];
    Hkdf::<Sha256>::from_prk(key).ok()?.expand(info, &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use openmls_libcrux_crypto::CryptoProvider;
    use openmls_traits::crypto::OpenMlsCrypto;
    use openmls_traits::types::HashType;

    /// What libcrux says is what members of groups founded before computed with.
    #[test]
    fn agrees_with_libcrux() {
        let libcrux = CryptoProvider::new().unwrap();
        for length in [0, 1, 31, 32, 33, 64, 65, 1_000, LONG, LONG + 1] {
            let (data, sha) = (vec![7; length], HashType::Sha2_256);
            assert_eq!(hash(&data), libcrux.hash(sha, &data).unwrap());
            for salt in [&[][..], &[1; 32], &[2; 100]] {
                // Twice: the second time it may be remembered.
                for _ in 0..2 {
                    assert_eq!(extract(salt, &data), libcrux.hkdf_extract(sha, salt, &data).unwrap().as_slice());
                }
                assert_eq!(extract(salt, &data), libcrux.hmac(sha, salt, &data).unwrap().as_slice());
            }
            let expanded = libcrux.hkdf_expand(sha, &[3; 32], &data, 80).unwrap();
            assert_eq!(expand(&[3; 32], &data, 80).unwrap(), expanded.as_slice());
        }
        forget();
        assert!(expand(&[3; 31], b"", 32).is_none() && expand(&[3; 32], b"", 255 * 32 + 1).is_none());
    }
}

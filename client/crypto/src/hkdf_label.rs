//! One way to derive a 32-byte key from a secret: HKDF-SHA256 under a label. May touch nothing but `hkdf`.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Derives a key. `label` separates purposes, `parts` what the key is bound to, each preceded by its length.
pub(crate) fn derive(secret: &[u8], label: &str, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut info = label.as_bytes().to_vec();
    for part in parts {
        info.extend_from_slice(&(part.len() as u64).to_be_bytes());
        info.extend_from_slice(part);
    }
    let mut key = Zeroizing::new([0; 32]);
    let filled = Hkdf::<Sha256>::new(None, secret).expand(&info, key.as_mut());
    debug_assert!(filled.is_ok(), "32 bytes are one block of SHA-256");
    key
}

//! A device's key: for login, for its MLS leaves, for device lists, receipts and rejoin requests.

use aside_protocol::{PublicKey, Signature};
use ed25519_dalek::{Signer, SigningKey};
use std::fmt;
use zeroize::Zeroizing;

/// An Ed25519 key that never leaves its device. Zeroized when dropped; `Debug` shows the public half only.
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    /// From 32 fresh random bytes, or from what [`Self::seed`] gave.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The secret, for storing in the encrypted database and nowhere else.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs (RFC 8032). Callers sign labelled hashes, so that no signature fits two purposes.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({:?}, secret)", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let key = DeviceKey::from_seed(&[0xAB; 32]);
        let shown = format!("{key:?}");
        assert!(!shown.to_lowercase().contains("abab") && !shown.contains("171, 171"), "{shown}");
        assert!(shown.contains(&key.public().to_hex()[..16]), "{shown}");
    }

    #[test]
    fn a_seed_gives_the_same_key_again() {
        let key = DeviceKey::from_seed(&[7; 32]);
        let again = DeviceKey::from_seed(&key.seed());
        assert_eq!(key.public(), again.public());
        assert!(key.public().verifies(b"text", &again.sign(b"text")));
        assert!(!key.public().verifies(b"other", &again.sign(b"text")));
    }
}

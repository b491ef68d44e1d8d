//! Lets the MLS library sign with a device key, without making that part of the key's public face.

use crate::DeviceKey;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;

/// A device key as the library wants it.
pub(super) struct LeafSigner<'a>(pub(super) &'a DeviceKey);

impl Signer for LeafSigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).0.to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

//! Seals and opens watermarks (rules `RCP-*`): a key per device from one secret per epoch, and the device's signature.
//!
//! The secret is known to every member, so the encryption hides a receipt from the relay and the signature proves to
//! the other members whose it is. Chat, device and base are bound to both.

use crate::DeviceKey;
use crate::hkdf_label::derive;
use aside_protocol::content::{SealedReceipt, Watermarks};
use aside_protocol::{Body, ChatId, DeviceId, PublicKey, Seq, decode, encode};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

#[cfg(test)]
mod tests;

/// Why a receipt does not count. The sender's or the relay's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a sealed receipt, or its watermarks make no sense (rules `RCP-2`, `RCP-3`).
    #[error("not a receipt (RCP-3)")]
    Malformed,
    /// Not signed by the device, or for another chat, device or base.
    #[error("the receipt was not signed by the device it is said to come from (RCP-3)")]
    BadSignature,
    /// Signed, but sealed under another key.
    #[error("the receipt cannot be decrypted (RCP-3)")]
    Undecryptable,
}

/// Seals `marks` under the epoch's secret and signs the result. `nonce` must be fresh and random.
pub fn seal(
    base_secret: &[u8; 32],
    chat: &ChatId,
    device: &DeviceId,
    base: Seq,
    marks: Watermarks,
    nonce: [u8; 24],
    key: &DeviceKey,
) -> Body {
    let aad = SealedReceipt::aad(chat, device, base);
    let payload = Payload { msg: &marks.to_bytes(), aad: &aad };
    let sealed = cipher(base_secret, device).encrypt(&XNonce::from(nonce), payload);
    debug_assert!(sealed.is_ok(), "sixteen bytes always encrypt");
    let sealed = Body::from(sealed.unwrap_or_default());
    let signature = key.sign(&SealedReceipt::signed_bytes(&aad, &nonce, &sealed));
    Body(encode(&SealedReceipt { nonce, sealed, signature }))
}

/// Opens a receipt of `device`, whose signature key is `device_key`, made under the epoch that began at `base`.
pub fn open(
    base_secret: &[u8; 32],
    chat: &ChatId,
    device: &DeviceId,
    base: Seq,
    body: &Body,
    device_key: &PublicKey,
) -> Result<Watermarks, ReceiptError> {
    let receipt: SealedReceipt = decode(&body.0).map_err(|_| ReceiptError::Malformed)?;
    let aad = SealedReceipt::aad(chat, device, base);
    let signed = SealedReceipt::signed_bytes(&aad, &receipt.nonce, &receipt.sealed);
    if !device_key.verifies(&signed, &receipt.signature) {
        return Err(ReceiptError::BadSignature);
    }
    let payload = Payload { msg: &receipt.sealed, aad: &aad };
    let plain = cipher(base_secret, device)
        .decrypt(&XNonce::from(receipt.nonce), payload)
        .map_err(|_| ReceiptError::Undecryptable)?;
    Watermarks::from_bytes(&plain).filter(|marks| marks.read <= marks.delivered).ok_or(ReceiptError::Malformed)
}

fn cipher(base_secret: &[u8; 32], device: &DeviceId) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*derive(base_secret, "aside/1 receipt key", &[&device.0])).into())
}

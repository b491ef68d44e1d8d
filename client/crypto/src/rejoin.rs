//! Signs and checks a device's request to be added to a chat again (rules `REJ-*`).

use crate::DeviceKey;
use aside_protocol::rejoin::{RejoinRequest, SignedRejoin, signed_bytes};
use aside_protocol::{Body, PublicKey, decode, encode};

/// Signs a request; the bytes travel as an envelope and as evidence inside the commit that answers it.
pub fn sign_rejoin(request: &RejoinRequest, key: &DeviceKey) -> Body {
    let request = Body(encode(request));
    let signature = key.sign(&signed_bytes(&request));
    Body(encode(&SignedRejoin { request, signature }))
}

/// Whether `key` signed exactly this request, as [`aside_protocol::rejoin::open`] returned both.
pub fn verify_rejoin(signed: &SignedRejoin, request: &RejoinRequest, key: &PublicKey) -> bool {
    key.verifies(&signed_bytes(&signed.request), &signed.signature)
        && decode::<RejoinRequest>(&signed.request.0).is_ok_and(|inside| inside == *request)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aside_protocol::rejoin::{SeqRange, open};
    use aside_protocol::{ChatId, DeviceId, Seq};

    #[test]
    fn only_the_device_can_ask() {
        let (key, other) = (DeviceKey::from_seed(&[1; 32]), DeviceKey::from_seed(&[2; 32]));
        let request = RejoinRequest {
            chat: ChatId([3; 32]),
            incarnation: 1,
            device: DeviceId([4; 16]),
            key_package: Body::from(vec![5; 40]),
            missing: vec![SeqRange { from: Seq(2), to: Seq(9) }],
        };
        let (read, signed) = open(&sign_rejoin(&request, &key)).unwrap();
        assert_eq!(read, request);
        assert!(verify_rejoin(&signed, &read, &key.public()));
        assert!(!verify_rejoin(&signed, &read, &other.public()));
        // A good signature does not cover another request.
        let changed = RejoinRequest { chat: ChatId([9; 32]), ..request };
        assert!(!verify_rejoin(&signed, &changed, &key.public()));
    }
}

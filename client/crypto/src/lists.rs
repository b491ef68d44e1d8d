//! Writes the device lists that `aside_protocol::device_list` verifies (rules `LST-*`).

use crate::{DeviceKey, RootKey};
use aside_protocol::device_list::{DeviceEntry, DeviceList, SignedDeviceList, Signer, VerifiedList, signed_bytes};
use aside_protocol::refusal::Plain;
use aside_protocol::{Body, DeviceId, Hash, Millis, PublicKey, Signature, encode};

/// Version 1 of an account's list: one device, signed by the root key.
pub fn first_list(root: &RootKey, device: DeviceId, key: PublicKey, added: Millis) -> Body {
    let devices = vec![DeviceEntry { device, key, added }];
    let list = DeviceList { account: root.account(), version: 1, previous: Hash([0; 32]), devices };
    sign(&list, Signer::Root(Plain {}), |message| root.sign(message))
}

/// The version after `before`, signed by a device that `before` names. Whether it does is checked by who verifies.
pub fn next_list(before: &VerifiedList, signer: (DeviceId, &DeviceKey), devices: Vec<DeviceEntry>) -> Body {
    let list = after(before, devices);
    sign(&list, Signer::Device(signer.0), |message| signer.1.sign(message))
}

/// The version after `before`, signed by the root: for an account whose devices are lost (rule `LST-2`).
pub fn recovery_list(before: &VerifiedList, root: &RootKey, devices: Vec<DeviceEntry>) -> Body {
    let list = after(before, devices);
    sign(&list, Signer::Root(Plain {}), |message| root.sign(message))
}

fn after(before: &VerifiedList, devices: Vec<DeviceEntry>) -> DeviceList {
    DeviceList {
        account: before.list.account,
        version: before.list.version.saturating_add(1),
        previous: before.hash,
        devices,
    }
}

fn sign(list: &DeviceList, signer: Signer, sign: impl FnOnce(&[u8]) -> Signature) -> Body {
    let list = Body(encode(list));
    let signature = sign(&signed_bytes(&list));
    Body(encode(&SignedDeviceList { list, signer, signature }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aside_protocol::device_list::{ListError, verify_chain, verify_next};

    fn entry(n: u8, key: &DeviceKey) -> DeviceEntry {
        DeviceEntry { device: DeviceId([n; 16]), key: key.public(), added: Millis(5) }
    }

    #[test]
    fn a_chain_verifies_back_to_the_root() {
        let root = RootKey::from_entropy(&[1; 32]);
        let (one, two) = (DeviceKey::from_seed(&[2; 32]), DeviceKey::from_seed(&[3; 32]));
        let first = first_list(&root, DeviceId([1; 16]), one.public(), Millis(5));
        let before = verify_next(&root.public(), None, &first).unwrap();
        assert_eq!(before.list.devices, [entry(1, &one)]);

        let both = vec![entry(1, &one), entry(2, &two)];
        let second = next_list(&before, (DeviceId([1; 16]), &one), both.clone());
        let last = verify_chain(&root.public(), None, &[first.clone(), second]).unwrap().unwrap();
        assert_eq!((last.list.version, &last.list.devices, last.list.previous), (2, &both, before.hash));

        // Signed by a device that the version before does not name: a ghost.
        let ghost = next_list(&before, (DeviceId([2; 16]), &two), both);
        assert_eq!(verify_next(&root.public(), Some(&before), &ghost), Err(ListError::BadSignature));
        // What the root signs follows any version, and need not keep a device of it.
        let recovered = recovery_list(&last, &root, vec![entry(3, &DeviceKey::from_seed(&[4; 32]))]);
        let third = verify_next(&root.public(), Some(&last), &recovered).unwrap();
        assert_eq!((third.list.version, third.list.devices.len()), (3, 1));
        let usurped = recovery_list(&last, &RootKey::from_entropy(&[9; 32]), third.list.devices);
        assert_eq!(verify_next(&root.public(), Some(&last), &usurped), Err(ListError::BadSignature));
        // Of another account.
        let other = RootKey::from_entropy(&[9; 32]);
        assert_eq!(verify_next(&other.public(), None, &first), Err(ListError::DoesNotFollow));
    }
}

#![allow(clippy::unwrap_used)]

use super::*;
use aside_protocol::limits::MAX_RECEIPT;
use proptest::prelude::*;

const SECRET: [u8; 32] = [7; 32];
const CHAT: ChatId = ChatId([1; 32]);
const DEVICE: DeviceId = DeviceId([2; 16]);
const BASE: Seq = Seq(40);
const MARKS: Watermarks = Watermarks { delivered: Seq(50), read: Seq(45) };

fn key() -> DeviceKey {
    DeviceKey::from_seed(&[3; 32])
}

fn sealed() -> Body {
    seal(&SECRET, &CHAT, &DEVICE, BASE, MARKS, [9; 24], &key())
}

#[test]
fn opens_where_it_belongs() {
    assert_eq!(open(&SECRET, &CHAT, &DEVICE, BASE, &sealed(), &key().public()), Ok(MARKS));
}

#[test]
fn refused_anywhere_else() {
    let (body, public) = (sealed(), key().public());
    let bad = Err(ReceiptError::BadSignature);
    assert_eq!(open(&SECRET, &ChatId([8; 32]), &DEVICE, BASE, &body, &public), bad, "another chat");
    assert_eq!(open(&SECRET, &CHAT, &DeviceId([8; 16]), BASE, &body, &public), bad, "another device");
    assert_eq!(open(&SECRET, &CHAT, &DEVICE, Seq(41), &body, &public), bad, "another base");
    let other = DeviceKey::from_seed(&[4; 32]);
    assert_eq!(open(&SECRET, &CHAT, &DEVICE, BASE, &body, &other.public()), bad, "another key");
    assert_eq!(open(&[8; 32], &CHAT, &DEVICE, BASE, &body, &public), Err(ReceiptError::Undecryptable), "another epoch");
}

#[test]
fn a_member_cannot_forge_anothers() {
    // Every member knows the secret, so only the signature stands between them.
    let forger = DeviceKey::from_seed(&[4; 32]);
    let forged = seal(&SECRET, &CHAT, &DEVICE, BASE, MARKS, [9; 24], &forger);
    assert_eq!(open(&SECRET, &CHAT, &DEVICE, BASE, &forged, &key().public()), Err(ReceiptError::BadSignature));
}

#[test]
fn devices_have_their_own_keys() {
    // A device that signs another's ciphertext as its own still cannot open it as its own.
    let aad = SealedReceipt::aad(&CHAT, &DeviceId([5; 16]), BASE);
    let taken: SealedReceipt = decode(&sealed().0).unwrap();
    let thief = DeviceKey::from_seed(&[4; 32]);
    let signature = thief.sign(&SealedReceipt::signed_bytes(&aad, &taken.nonce, &taken.sealed));
    let moved = Body(encode(&SealedReceipt { signature, ..taken }));
    let opened = open(&SECRET, &CHAT, &DeviceId([5; 16]), BASE, &moved, &thief.public());
    assert_eq!(opened, Err(ReceiptError::Undecryptable));
}

#[test]
fn more_read_than_delivered_makes_no_sense() {
    let marks = Watermarks { delivered: Seq(1), read: Seq(2) };
    let body = seal(&SECRET, &CHAT, &DEVICE, BASE, marks, [9; 24], &key());
    assert_eq!(open(&SECRET, &CHAT, &DEVICE, BASE, &body, &key().public()), Err(ReceiptError::Malformed));
}

#[test]
fn all_receipts_have_one_size_within_the_limit() {
    let most = Watermarks { delivered: Seq(u64::MAX), read: Seq(u64::MAX) };
    let large = seal(&SECRET, &CHAT, &DEVICE, Seq(u64::MAX), most, [9; 24], &key());
    assert_eq!(large.len(), sealed().len());
    assert!(large.len() <= MAX_RECEIPT, "{}", large.len());
}

proptest! {
    #[test]
    fn any_flipped_bit_is_noticed(at in 0usize..1000, bit in 0u8..8) {
        let mut bytes = sealed().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let opened = open(&SECRET, &CHAT, &DEVICE, BASE, &Body::from(bytes), &key().public());
        prop_assert!(opened.is_err());
    }

    #[test]
    fn never_panics(bytes: Vec<u8>) {
        prop_assert!(open(&SECRET, &CHAT, &DEVICE, BASE, &Body::from(bytes), &key().public()).is_err());
    }
}

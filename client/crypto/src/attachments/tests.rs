#![allow(clippy::unwrap_used)]

use super::*;
use chacha20poly1305::aead::{Aead, KeyInit};
use sha2::{Digest, Sha256};

fn key() -> FileKey {
    FileKey::new([7; 32])
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 256) as u8).collect()
}

fn sealed(length: usize) -> Vec<u8> {
    seal(&key(), [9; PREFIX], &content(length)).unwrap()
}

const LENGTHS: [usize; 9] = [0, 1, 1_000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK + 77];

#[test]
fn what_is_sealed_opens_and_its_length_is_known_before() {
    for length in LENGTHS {
        let sealed = sealed(length);
        assert_eq!(sealed_len(length as u64), Some(sealed.len() as u64), "{length}");
        assert_eq!(opened_len(sealed.len() as u64), Some(length as u64), "{length}");
        assert_eq!(open(&key(), &sealed).unwrap(), content(length));
    }
    assert_eq!(sealed_len(u64::MAX), None);
    assert_eq!(opened_len(PREFIX as u64 + TAG as u64 - 1), None);
    assert_eq!(opened_len((PREFIX + 2 * TAG + CHUNK) as u64), None, "a last chunk is empty only if it is alone");
}

/// The construction from its parts: prefix, number, flag.
#[test]
fn a_chunk_is_sealed_under_its_number_and_whether_it_is_the_last() {
    let (plain, sealed) = (content(CHUNK + 100), sealed(CHUNK + 100));
    let cipher = XChaCha20Poly1305::new((&[7_u8; 32]).into());
    let nonce = |number: u32, last: u8| [&[9; PREFIX][..], &number.to_be_bytes(), &[last]].concat();
    let chunk = |number, last, plain: &[u8]| {
        let nonce: [u8; 24] = nonce(number, last).try_into().unwrap();
        cipher.encrypt(&nonce.into(), plain).unwrap()
    };
    let made = [&[9; PREFIX][..], &chunk(0, 0, &plain[..CHUNK]), &chunk(1, 1, &plain[CHUNK..])].concat();
    assert!(made == sealed);
}

/// Golden: what other programs must get too.
#[test]
fn the_bytes_are_those_they_always_were() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&seal(&key(), [9; PREFIX], b"").unwrap()), EMPTY);
    assert_eq!(hex(&seal(&key(), [9; PREFIX], b"a file").unwrap()), SHORT);
    assert_eq!(hex(&Sha256::digest(sealed(2 * CHUNK + 1))), LONG);
}

const EMPTY: &str = "09090909090909090909090909090909090909c2c28a69bc23b75e0920a9bfa9165ec2";
const SHORT: &str = "0909090909090909090909090909090909090985b9a8d8ded51711313b22300f0033cc6731a7b9e2b8";
const LONG: &str = "1b338b02cd2fc4e04ccfd8d93192cb1c1e4f7af7c2ab32378058e12d43fa2517";

#[test]
fn whatever_is_done_to_it_it_does_not_open() {
    let whole = sealed(3 * CHUNK);
    let part = |from: usize, to: usize| whole[PREFIX + from * (CHUNK + TAG)..PREFIX + to * (CHUNK + TAG)].to_vec();
    let prefix = whole[..PREFIX].to_vec();
    let wrong = [
        ("cut at a chunk", [prefix.clone(), part(0, 2)].concat()),
        ("cut in a chunk", whole[..whole.len() - 1].to_vec()),
        ("reordered", [prefix.clone(), part(1, 2), part(0, 1), part(2, 3)].concat()),
        ("one twice", [prefix.clone(), part(0, 1), part(0, 3)].concat()),
        ("one left out", [prefix.clone(), part(0, 1), part(2, 3)].concat()),
        ("made longer", [whole.clone(), part(0, 1)].concat()),
        ("a byte more", [whole.clone(), vec![0]].concat()),
        ("another prefix", [vec![8; PREFIX], part(0, 3)].concat()),
        ("only the prefix", prefix),
        ("nothing", Vec::new()),
    ];
    for (what, bytes) in wrong {
        assert_eq!(open(&key(), &bytes), Err(Damaged), "{what}");
    }
    assert_eq!(open(&FileKey::new([8; 32]), &whole), Err(Damaged), "another key");
    for at in (0..whole.len()).step_by(9_973) {
        let mut touched = whole.clone();
        touched[at] ^= 0x10;
        assert_eq!(open(&key(), &touched), Err(Damaged), "byte {at}");
    }
}

#[test]
fn a_key_does_not_show() {
    assert_eq!(format!("{:?}", key()), "FileKey(…)");
}

#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

/// The BIP-39 vector for 32 zero bytes.
const ZEROS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
                     abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art";

#[test]
fn golden_words_and_key() {
    let phrase = RecoveryPhrase::from_entropy(&[0; 32]).unwrap();
    assert_eq!(phrase.words(), ZEROS);
    // Changing this changes every account: it is the Ed25519 key from HKDF-SHA256(zeros, "aside/1 root key").
    assert_eq!(phrase.root_key().public().to_hex(), GOLDEN_ROOT);
}

const GOLDEN_ROOT: &str = "a932a12e31de6e8635a733bba739d2bb98d37b4ab8bd3321e92e531710c2078b";

#[test]
fn reads_what_people_type() {
    let sloppy = format!("  {}\n", ZEROS.to_uppercase().replace(' ', "\n\t "));
    assert_eq!(RecoveryPhrase::parse(&sloppy).unwrap().words(), ZEROS);
}

#[test]
fn says_what_is_wrong() {
    let parse = |text: &str| RecoveryPhrase::parse(text).unwrap_err();
    assert_eq!(parse(""), PhraseError::WordCount(0));
    assert_eq!(parse("abandon art"), PhraseError::WordCount(2));
    assert_eq!(parse(&ZEROS.replace("art", "arrt")), PhraseError::UnknownWord { position: 24 });
    assert_eq!(parse(&ZEROS.replace("art", "zoo")), PhraseError::Checksum);
    assert!(!parse(&ZEROS.replace("art", "arrt")).to_string().contains("arrt"));
}

#[test]
fn debug_shows_no_secret() {
    let phrase = RecoveryPhrase::from_entropy(&[0; 32]).unwrap();
    assert_eq!(format!("{phrase:?}"), "RecoveryPhrase(secret)");
    let shown = format!("{:?}", RootKey::from_entropy(&[0xCD; 32]));
    assert!(shown.ends_with("secret)") && !shown.contains("cdcd"), "{shown}");
}

proptest! {
    #[test]
    fn words_lead_back_to_the_key(entropy: [u8; 32]) {
        let phrase = RecoveryPhrase::from_entropy(&entropy).unwrap();
        let again = RecoveryPhrase::parse(phrase.words()).unwrap();
        prop_assert_eq!(phrase.root_key().public(), again.root_key().public());
        prop_assert_eq!(again.root_key().public(), RootKey::from_entropy(&entropy).public());
    }

    #[test]
    fn never_panics(text in "\\PC{0,200}") {
        let _ = RecoveryPhrase::parse(&text);
    }
}

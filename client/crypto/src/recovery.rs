//! The account's root key and the 24 words it is made from (rule `ACC-4`). Kept in no database.

use crate::hkdf_label::derive;
use aside_protocol::{AccountId, PublicKey, Signature};
use bip0039::{English, Language, Mnemonic};
use ed25519_dalek::{Signer, SigningKey};
use std::fmt;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Words of a recovery phrase: 256 bits and their checksum.
pub const WORDS: usize = 24;

/// The Ed25519 key that stands for an account. Zeroized when dropped; `Debug` shows the public half only.
pub struct RootKey(SigningKey);

impl RootKey {
    /// From the 32 bytes behind the words. The key is derived under a label, it is not the entropy itself.
    pub fn from_entropy(entropy: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&derive(entropy, "aside/1 root key", &[])))
    }

    /// The public half, by which others know the account.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The account it stands for.
    pub fn account(&self) -> AccountId {
        AccountId::of(&self.public())
    }

    /// Signs (RFC 8032). Callers sign labelled hashes.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({:?}, secret)", self.public())
    }
}

/// Why words are not a recovery phrase. Names positions, never words: even a mistyped one is half a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Not 24 words.
    #[error("a recovery phrase has 24 words, this one has {0}; write all of them, separated by spaces")]
    WordCount(usize),
    /// A word that is not in the BIP-39 English list; positions count from 1.
    #[error("word {position} is not one a recovery phrase can contain; check its spelling")]
    UnknownWord {
        /// Which word.
        position: usize,
    },
    /// Every word is known, but they do not belong together.
    #[error("the words do not belong together; one of them is wrong or in the wrong place")]
    Checksum,
}

/// 24 words, BIP-39 English. Zeroized when dropped; `Debug` shows nothing.
pub struct RecoveryPhrase {
    words: Zeroizing<String>,
    entropy: Zeroizing<[u8; 32]>,
}

impl RecoveryPhrase {
    /// Writes 32 fresh random bytes as words.
    pub fn from_entropy(entropy: &[u8; 32]) -> Result<Self, PhraseError> {
        let mnemonic = Mnemonic::<English>::from_entropy(entropy.to_vec()).map_err(|_| PhraseError::Checksum)?;
        Ok(Self { words: Zeroizing::new(mnemonic.into_phrase()), entropy: Zeroizing::new(*entropy) })
    }

    /// Reads what a person typed: any case, any white space between the words.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let lower = Zeroizing::new(text.to_lowercase());
        let words: Vec<&str> = lower.split_whitespace().collect();
        if words.len() != WORDS {
            return Err(PhraseError::WordCount(words.len()));
        }
        if let Some(wrong) = words.iter().position(|word| English::index_of(word).is_none()) {
            return Err(PhraseError::UnknownWord { position: wrong + 1 });
        }
        let phrase = Zeroizing::new(words.join(" "));
        let mnemonic = Mnemonic::<English>::from_phrase(phrase.as_str()).map_err(|_| PhraseError::Checksum)?;
        let entropy = mnemonic.entropy().try_into().map_err(|_| PhraseError::WordCount(words.len()))?;
        Ok(Self { words: phrase, entropy: Zeroizing::new(entropy) })
    }

    /// The words, in lower case, separated by single spaces. Show them once, store them nowhere.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// The key the words stand for.
    pub fn root_key(&self) -> RootKey {
        RootKey::from_entropy(&self.entropy)
    }
}

impl fmt::Debug for RecoveryPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryPhrase(secret)")
    }
}

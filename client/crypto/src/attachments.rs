//! Files, encrypted in chunks (rules `ATT-*`): XChaCha20-Poly1305 in the STREAM construction under a key of their own.
//!
//! Each chunk's nonce holds its number and whether it is the last one, so a file that was cut, reordered or made longer
//! does not open. The file begins with the random part of the nonces. What is held in memory is one chunk.

use aead_stream::{DecryptorBE32, EncryptorBE32, Nonce, StreamBE32};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::Buffer;
use std::fmt;
use zeroize::Zeroizing;

/// Plaintext of each chunk but the last, which has 1 to as many bytes; of an empty file none.
pub const CHUNK: usize = 64 << 10;
/// The tag of each chunk.
pub const TAG: usize = 16;
/// What an encrypted file begins with: the random part of its nonces.
pub const PREFIX: usize = 19;

type Nonces = Nonce<XChaCha20Poly1305, StreamBE32<XChaCha20Poly1305>>;

/// A file's key: 32 fresh random bytes, used for it alone.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey(Zeroizing<[u8; 32]>);

impl FileKey {
    /// From fresh random bytes, or from where they were kept.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// To be kept.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// A file does not open: other bytes, another key, or not all of it. Nothing that was read of it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file is damaged or incomplete (ATT-2); fetch it again, or ask for it to be sent again")]
pub struct Damaged;

/// How long a file is once it is encrypted; `None` for one that is too long for the construction.
pub fn sealed_len(plain: u64) -> Option<u64> {
    let chunks = plain.div_ceil(CHUNK as u64).max(1);
    u32::try_from(chunks).ok()?;
    plain.checked_add(chunks * TAG as u64 + PREFIX as u64)
}

/// How long the content of an encrypted file is; `None` if none has that length.
pub fn opened_len(sealed: u64) -> Option<u64> {
    let body = sealed.checked_sub(PREFIX as u64)?;
    let chunks = body.div_ceil((CHUNK + TAG) as u64).max(1);
    let plain = body.checked_sub(chunks * TAG as u64)?;
    (sealed_len(plain) == Some(sealed)).then_some(plain)
}

/// Encrypts one file, chunk by chunk.
pub struct Sealer {
    stream: EncryptorBE32<XChaCha20Poly1305>,
    prefix: [u8; PREFIX],
}

impl Sealer {
    /// Begins. Key and prefix must be fresh and random.
    pub fn new(key: &FileKey, prefix: [u8; PREFIX]) -> Self {
        Self { stream: EncryptorBE32::new((&*key.0).into(), &Nonces::from(prefix)), prefix }
    }

    /// What the encrypted file begins with.
    pub fn prefix(&self) -> [u8; PREFIX] {
        self.prefix
    }

    /// Encrypts a chunk that is not the last, of exactly [`CHUNK`] bytes, in place.
    ///
    /// # Errors
    /// For another length, and past the most chunks.
    pub fn next(&mut self, chunk: &mut impl Buffer) -> Result<(), Damaged> {
        if chunk.len() != CHUNK {
            return Err(Damaged);
        }
        self.stream.encrypt_next_in_place(&[], chunk).map_err(|_| Damaged)
    }

    /// Encrypts the last chunk, of at most [`CHUNK`] bytes, in place.
    ///
    /// # Errors
    /// For a longer one.
    pub fn last(self, chunk: &mut impl Buffer) -> Result<(), Damaged> {
        if chunk.len() > CHUNK {
            return Err(Damaged);
        }
        self.stream.encrypt_last_in_place(&[], chunk).map_err(|_| Damaged)
    }
}

/// Decrypts one file, chunk by chunk. What was read is good only once the last chunk opened.
pub struct Opener {
    stream: DecryptorBE32<XChaCha20Poly1305>,
}

impl Opener {
    /// Begins with what the encrypted file begins with.
    pub fn new(key: &FileKey, prefix: [u8; PREFIX]) -> Self {
        Self { stream: DecryptorBE32::new((&*key.0).into(), &Nonces::from(prefix)) }
    }

    /// Decrypts a chunk that is not the last, of exactly [`CHUNK`] + [`TAG`] bytes, in place.
    ///
    /// # Errors
    /// If it is not that chunk of that file.
    pub fn next(&mut self, chunk: &mut impl Buffer) -> Result<(), Damaged> {
        if chunk.len() != CHUNK + TAG {
            return Err(Damaged);
        }
        self.stream.decrypt_next_in_place(&[], chunk).map_err(|_| Damaged)
    }

    /// Decrypts the last chunk in place.
    ///
    /// # Errors
    /// If it is not the last chunk of that file.
    pub fn last(self, chunk: &mut impl Buffer) -> Result<(), Damaged> {
        if chunk.len() > CHUNK + TAG {
            return Err(Damaged);
        }
        self.stream.decrypt_last_in_place(&[], chunk).map_err(|_| Damaged)
    }
}

/// Encrypts what fits into memory.
pub fn seal(key: &FileKey, prefix: [u8; PREFIX], plain: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut sealer = Sealer::new(key, prefix);
    let mut sealed = prefix.to_vec();
    let mut chunks = plain.chunks(CHUNK).peekable();
    while let Some(chunk) = chunks.next_if(|chunk| chunk.len() == CHUNK) {
        if chunks.peek().is_none() {
            return finish(sealer, chunk, sealed);
        }
        let mut chunk = chunk.to_vec();
        sealer.next(&mut chunk)?;
        sealed.extend_from_slice(&chunk);
    }
    finish(sealer, chunks.next().unwrap_or_default(), sealed)
}

fn finish(sealer: Sealer, last: &[u8], mut sealed: Vec<u8>) -> Result<Vec<u8>, Damaged> {
    let mut last = last.to_vec();
    sealer.last(&mut last)?;
    sealed.extend_from_slice(&last);
    Ok(sealed)
}

/// Decrypts what fits into memory; all of it or nothing.
pub fn open(key: &FileKey, sealed: &[u8]) -> Result<Vec<u8>, Damaged> {
    opened_len(sealed.len() as u64).ok_or(Damaged)?;
    let (prefix, body) = sealed.split_first_chunk::<PREFIX>().ok_or(Damaged)?;
    let mut opener = Opener::new(key, *prefix);
    let (mut plain, mut rest) = (Vec::with_capacity(body.len()), body);
    while let Some((chunk, more)) = rest.split_at_checked(CHUNK + TAG).filter(|(_, more)| !more.is_empty()) {
        let mut chunk = chunk.to_vec();
        opener.next(&mut chunk)?;
        plain.extend_from_slice(&chunk);
        rest = more;
    }
    let mut last = rest.to_vec();
    opener.last(&mut last)?;
    plain.extend_from_slice(&last);
    Ok(plain)
}

#[cfg(test)]
mod tests;

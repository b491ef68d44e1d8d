//! The file of an upload that is not whole yet, and the hash of what it holds. Blocking: for threads that may wait.

use crate::data::private;
use aside_protocol::Hash;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Read at a time while a file is hashed again.
const READ: usize = 256 << 10;

/// An open upload.
pub(super) struct Partial {
    file: File,
    hasher: Sha256,
    length: u64,
}

impl Partial {
    /// Opens or begins one, and hashes what is there. It never holds the last byte of `size`: that one comes again, so
    /// that whoever goes on with an upload after a crash hears how it ended.
    pub(super) fn open(path: &Path, size: u64) -> io::Result<Self> {
        let mut file = private(path.to_owned(), false)?;
        let length = file.metadata()?.len().min(size.saturating_sub(1));
        file.set_len(length)?;
        let (mut hasher, mut buffer, mut at) = (Sha256::new(), vec![0; READ], 0);
        while at < length {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
            at += read as u64;
        }
        Ok(Self { file, hasher, length: at })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends all of it or, if the disk is full, nothing.
    pub(super) fn append(&mut self, chunks: &[Bytes]) -> io::Result<()> {
        let written = chunks.iter().try_for_each(|chunk| self.file.write_all(chunk));
        if let Err(error) = written {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        for chunk in chunks {
            self.hasher.update(chunk);
            self.length += chunk.len() as u64;
        }
        Ok(())
    }

    /// Starts over.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.hasher, self.length) = (Sha256::new(), 0);
        Ok(())
    }

    /// SHA-256 of what it holds.
    pub(super) fn hash(&self) -> Hash {
        Hash(self.hasher.clone().finalize().into())
    }
}

/// How long an upload's file is; 0 if there is none.
pub(super) fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_upload_goes_on_where_its_file_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let mut partial = Partial::open(&path, 10).unwrap();
        partial.append(&[Bytes::from_static(b"abc"), Bytes::from_static(b"de")]).unwrap();
        drop(partial);
        let mut again = Partial::open(&path, 10).unwrap();
        assert_eq!((again.length(), again.hash()), (5, Hash::of(b"abcde")));
        again.append(&[Bytes::from_static(b"fghij")]).unwrap();
        assert_eq!(again.hash(), Hash::of(b"abcdefghij"));
        let whole = Partial::open(&path, 10).unwrap();
        assert_eq!((whole.length(), whole.hash()), (9, Hash::of(b"abcdefghi")), "the last byte comes again");
    }

    #[test]
    fn starting_over_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut partial = Partial::open(&folder.path().join("it"), 10).unwrap();
        partial.append(&[Bytes::from_static(b"wrong")]).unwrap();
        partial.restart().unwrap();
        partial.append(&[Bytes::from_static(b"right")]).unwrap();
        assert_eq!((partial.length(), partial.hash()), (5, Hash::of(b"right")));
    }
}

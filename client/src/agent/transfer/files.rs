//! Files of blobs on their way. Blocking, for threads that may wait; only their owner may read them.

use aside_crypto::attachments::{CHUNK, FileKey, Opener, PREFIX, TAG, opened_len};
use aside_protocol::Hash;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use tokio::task::spawn_blocking;

/// Read at a time while a file is hashed again.
const READ: usize = 256 << 10;

/// Runs what may wait for a disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

/// The file of what has arrived of a blob.
pub(super) fn part_name(id: &Hash) -> String {
    format!("{}.part", id.to_hex())
}

/// Makes the folder, and deletes parts of what nobody wants any more. Whole files are their owners'.
pub(super) fn clear(folder: &Path, keep: &BTreeSet<String>) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let left = name
            .to_str()
            .is_some_and(|name| (name.ends_with(".part") || name.ends_with(".plain")) && !keep.contains(name));
        if left && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// What has arrived of a blob, and its hash so far.
pub(super) struct Part {
    file: File,
    hasher: Sha256,
    length: u64,
}

impl Part {
    /// Goes on with a file, or begins it.
    pub(super) fn open(path: &Path, size: u64) -> io::Result<Self> {
        let mut file = private(path, false)?;
        if file.metadata()?.len() > size {
            file.set_len(0)?;
        }
        let (mut hasher, mut buffer, mut length) = (Sha256::new(), vec![0; READ], 0);
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(Self { file, hasher, length });
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
            length += read as u64;
        }
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

    /// Whether it is what it should be; then it is on disk.
    pub(super) fn verify(&self, id: &Hash) -> io::Result<bool> {
        self.file.sync_all()?;
        Ok(self.hasher.clone().finalize()[..] == id.0)
    }
}

/// Decrypts a file into another one, which appears whole or not at all. `false`: it does not open.
pub(super) fn decrypt(from: &Path, to: &Path, key: &FileKey) -> io::Result<bool> {
    let partial = to.with_extension("plain");
    let mut source = File::open(from)?;
    let mut target = private(&partial, true)?;
    let opened = pour(&mut source, &mut target, key)?;
    if opened {
        target.sync_all()?;
        fs::rename(&partial, to)?;
    } else {
        fs::remove_file(&partial)?;
    }
    Ok(opened)
}

fn pour(source: &mut File, target: &mut File, key: &FileKey) -> io::Result<bool> {
    let sealed = source.metadata()?.len();
    if opened_len(sealed).is_none() {
        return Ok(false);
    }
    let mut prefix = [0; PREFIX];
    source.read_exact(&mut prefix)?;
    let (mut opener, mut left) = (Opener::new(key, prefix), sealed - PREFIX as u64);
    let mut chunk = Vec::with_capacity(CHUNK + TAG);
    while left > (CHUNK + TAG) as u64 {
        fill(source, &mut chunk, CHUNK + TAG)?;
        left -= (CHUNK + TAG) as u64;
        if opener.next(&mut chunk).is_err() {
            return Ok(false);
        }
        target.write_all(&chunk)?;
    }
    fill(source, &mut chunk, CHUNK + TAG)?;
    if opener.last(&mut chunk).is_err() {
        return Ok(false);
    }
    target.write_all(&chunk)?;
    Ok(true)
}

fn fill(source: &mut File, chunk: &mut Vec<u8>, most: usize) -> io::Result<()> {
    chunk.clear();
    source.take(most as u64).read_to_end(chunk).map(drop)
}

fn private(path: &Path, empty: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(empty).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use aside_crypto::attachments::seal;

    #[test]
    fn a_file_decrypts_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("it.part"), folder.path().join("it"));
        for length in [0, 10, CHUNK, 3 * CHUNK + 5] {
            let plain: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let key = FileKey::new([3; 32]);
            let mut sealed = seal(&key, [4; PREFIX], &plain).unwrap();
            fs::write(&from, &sealed).unwrap();
            assert!(decrypt(&from, &to, &key).unwrap());
            assert_eq!(fs::read(&to).unwrap(), plain);
            fs::remove_file(&to).unwrap();
            *sealed.last_mut().unwrap() ^= 1;
            fs::write(&from, &sealed).unwrap();
            assert!(!decrypt(&from, &to, &key).unwrap());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing of it is left");
        }
    }

    #[test]
    fn only_what_is_kept_stays() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = folder.path().join("blobs");
        clear(&blobs, &BTreeSet::new()).unwrap();
        for name in ["kept", "left.part"] {
            fs::write(blobs.join(name), name).unwrap();
        }
        clear(&blobs, &BTreeSet::from(["kept".to_owned()])).unwrap();
        assert!(blobs.join("kept").exists() && !blobs.join("left.part").exists());
    }
}

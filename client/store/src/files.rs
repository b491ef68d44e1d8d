//! The files of a profile: folder, key, lock. Touches the file system, not the database.

use crate::error::{Result, StoreError};
use fs4::FileExt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of the database key: 32 of key and 16 of salt, given raw so that opening needs no derivation.
pub const KEY_LEN: usize = 48;

/// The secret key of a database.
pub struct DbKey(Zeroizing<[u8; KEY_LEN]>);

impl std::fmt::Debug for DbKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DbKey(…)")
    }
}

impl DbKey {
    /// From bytes.
    pub fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// In SQLCipher's raw form: hexadecimal in a blob literal.
    pub(crate) fn literal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_LEN + 3));
        text.push_str("x'");
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        text.push('\'');
        text
    }
}

/// The folder of one profile and the names in it.
#[derive(Debug, Clone)]
pub struct ProfileFolder(PathBuf);

impl ProfileFolder {
    /// Names a folder; touches nothing.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The encrypted history.
    pub fn database(&self) -> PathBuf {
        self.0.join("history.db")
    }

    /// Where blobs on their way are kept as files. Made when it is first needed.
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// Makes the database file for its owner only, before SQLite opens it; its companions get the same permissions.
    pub(crate) fn prepare_database(&self) -> Result<()> {
        let path = self.database();
        let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        made.map(drop).map_err(|why| self.error(path, why))
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("db.key")
    }

    /// Makes the folder, for its owner only.
    pub fn create(&self) -> Result<()> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.and_then(|()| fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)))
            .map_err(|why| self.error(self.0.clone(), why))
    }

    /// Reads the key, or writes `fresh` as the key when there is none and `create` is set.
    pub fn key(&self, create: Option<[u8; KEY_LEN]>) -> Result<DbKey> {
        let path = self.key_file();
        match File::open(&path) {
            Ok(mut file) => {
                let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LEN + 1));
                file.read_to_end(&mut bytes).map_err(|why| self.error(path.clone(), why))?;
                bytes.as_slice().try_into().map(DbKey::new).map_err(|_| StoreError::Corrupt(self.database()))
            }
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => match create {
                Some(fresh) => write_secret(&path, &fresh).map(|()| DbKey::new(fresh)),
                None => Err(StoreError::Missing(self.0.clone())),
            },
            Err(why) => Err(self.error(path, why)),
        }
    }

    /// Takes the lock that makes this process the only one to use the profile.
    pub fn lock(&self) -> Result<ProfileLock> {
        let path = self.0.join("profile.lock");
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path);
        let mut file = open.map_err(|why| match why.kind() {
            std::io::ErrorKind::NotFound => StoreError::Missing(self.0.clone()),
            _ => self.error(path.clone(), why),
        })?;
        if FileExt::try_lock(&file).is_err() {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            return Err(StoreError::Locked { folder: self.0.clone(), pid: text.trim().parse().unwrap_or(0) });
        }
        // Only a help for who finds it locked: a full disk must not keep anybody from reading their history.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(ProfileLock { _file: file })
    }

    fn error(&self, path: PathBuf, why: std::io::Error) -> StoreError {
        if is_full(&why) { StoreError::DiskFull } else { StoreError::File { path, why } }
    }
}

/// Held as long as this process uses the profile; the system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct ProfileLock {
    _file: File,
}

/// Writes a file that only its owner may read, completely or not at all, and makes it durable.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = path.with_extension("partial");
    let write = || {
        let _ = fs::remove_file(&partial);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(
        |why| if is_full(&why) { StoreError::DiskFull } else { StoreError::File { path: path.to_owned(), why } },
    )
}

/// Whether there is no room: on the disk, in the user's quota, or within the limit set for the size of files.
fn is_full(why: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(why.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

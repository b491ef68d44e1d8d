//! A file of every applied command, and its replay: same commands, other batches, equal states.

use crate::{Core, CoreError, Location, Stamped};
use aside_protocol::Hash;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// No command is longer, in bytes: a frame and what is added to it.
const MAX_RECORD: u32 = 4 << 20;

/// Appends commands, each as its length (four bytes, big-endian) and its CBOR.
pub struct CommandLog {
    file: BufWriter<File>,
}

impl CommandLog {
    /// Opens or creates a log. What a crash left half written at its end is cut off.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path)?;
        let mut reader = Records::new(file.try_clone()?);
        while reader.next_record()?.is_some() {}
        let end = reader.end;
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(Self { file: BufWriter::new(file) })
    }

    /// Appends a batch that was applied.
    pub fn append(&mut self, batch: &[Stamped]) -> io::Result<()> {
        for stamped in batch {
            let bytes = cbor4ii::serde::to_vec(Vec::new(), stamped).map_err(io::Error::other)?;
            let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            self.file.write_all(&length.to_be_bytes())?;
            self.file.write_all(&bytes)?;
        }
        self.file.flush()
    }
}

/// Reads every whole command of a log.
pub fn read(path: &Path) -> io::Result<Vec<Stamped>> {
    let mut records = Records::new(File::open(path)?);
    let mut commands = Vec::new();
    while let Some(bytes) = records.next_record()? {
        let stamped = cbor4ii::serde::from_slice(&bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        commands.push(stamped);
    }
    Ok(commands)
}

/// Applies commands to a fresh core in memory, `batch` at a time, and returns the state's hash.
pub fn replay(commands: &[Stamped], batch: usize) -> Result<Hash, CoreError> {
    let mut core = Core::open(&Location::Memory)?;
    for chunk in commands.chunks(batch.max(1)) {
        core.apply(chunk, false)?;
    }
    core.state_hash()
}

struct Records {
    file: BufReader<File>,
    /// Where the last whole record ends.
    end: u64,
}

impl Records {
    fn new(file: File) -> Self {
        Self { file: BufReader::new(file), end: 0 }
    }

    /// The next record, or `None` at the end or before a record that is not whole.
    fn next_record(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut length = [0; 4];
        if !fill(&mut self.file, &mut length)? {
            return Ok(None);
        }
        let length = u32::from_be_bytes(length);
        if length > MAX_RECORD {
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        if !fill(&mut self.file, &mut bytes)? {
            return Ok(None);
        }
        self.end += 4 + u64::from(length);
        Ok(Some(bytes))
    }
}

/// Fills the buffer, or says that the file ended first.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

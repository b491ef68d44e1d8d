//! Asking a running relay through its admin socket, without an async runtime.

use super::{Ask, Told};
use std::io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A relay that does not answer within this time is stuck.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks once. `None` when no relay listens there.
pub fn ask(socket: &Path, ask: &Ask) -> io::Result<Option<Told>> {
    let mut stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | ConnectionRefused) => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(ask).map_err(io::Error::other)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    serde_json::from_str(&answer).map(Some).map_err(io::Error::other)
}

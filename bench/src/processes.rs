//! Programs started for a measurement, and what the system says of them. Linux only: it reads /proc.

use crate::error::BenchError;
use aside_protocol::invite::Invite;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Accounts an invite is good for: more than any measurement registers.
const USES: u32 = 1_000_000;
/// Clock ticks a second in /proc/PID/stat; fixed for programs by the kernel's interface.
const TICKS_PER_SECOND: u64 = 100;

/// A program that is killed when this is dropped.
pub struct Process(Child);

impl Process {
    /// Starts a program and waits for its first line of output.
    pub fn start(program: &Path, arguments: &[&str], name: &'static str) -> Result<(Self, String), BenchError> {
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take();
        let process = Self(child);
        let mut line = String::new();
        if let Some(out) = out {
            BufReader::new(out).read_line(&mut line)?;
        }
        if line.is_empty() { Err(BenchError::NotStarted(name, "see above".into())) } else { Ok((process, line)) }
    }

    /// Starts a program that says nothing on its output.
    pub fn silent(program: &Path, arguments: &[&str]) -> Result<Self, BenchError> {
        Ok(Self(Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    /// CPU time used so far by all threads, user and system, in milliseconds.
    pub fn cpu_ms(&self) -> Result<u64, BenchError> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The second field is the name in parentheses and may hold anything; 14 and 15 are the times (proc(5)).
        let after = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(ticks * 1000 / TICKS_PER_SECOND)
    }

    /// Memory in use, in KiB.
    pub fn rss_kib(&self) -> Result<u64, BenchError> {
        memory_kib(&self.0.id().to_string(), "VmRSS:")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The most memory this very process has had in use, in KiB.
pub fn own_peak_kib() -> Result<u64, BenchError> {
    memory_kib("self", "VmHWM:")
}

/// Processor time of this process's threads that live, in milliseconds; finer than the ticks of [`Process::cpu_ms`].
pub fn own_cpu_ms() -> Result<f64, BenchError> {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        // A thread that ended meanwhile has none.
        let told = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        nanos += told.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(nanos as f64 / 1e6)
}

/// A figure of /proc/PID/status, in KiB.
pub fn memory_kib(process: &str, field: &str) -> Result<u64, BenchError> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    Ok(line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0))
}

/// The folder this program lies in, where the others are built too.
fn beside() -> Result<PathBuf, BenchError> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_owned())
}

/// A program built beside this one.
pub fn program(name: &str) -> Result<PathBuf, BenchError> {
    let path = beside()?.join(name);
    if path.exists() { Ok(path) } else { Err(BenchError::NotBuilt(path)) }
}

/// A relay on a folder of its own.
pub struct Relay {
    /// The process.
    pub process: Process,
    /// An invite to it.
    pub invite: Invite,
    folder: TempDir,
}

/// What a relay counted since its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Transactions made durable, each with one sync of the write-ahead log.
    pub syncs: u64,
}

impl Relay {
    /// Starts a relay with a port of the system's choice.
    pub fn start() -> Result<Self, BenchError> {
        Self::on(tempfile::tempdir()?)
    }

    /// Kills it and starts another process on the same data.
    pub fn restart(self) -> Result<Self, BenchError> {
        let Self { process, folder, .. } = self;
        drop(process);
        Self::on(folder)
    }

    fn on(folder: TempDir) -> Result<Self, BenchError> {
        let data = folder.path().join("data");
        let data = data.to_string_lossy();
        let relay = program("aside-relay")?;
        let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", &data];
        let (process, _) = Process::start(&relay, &arguments, "aside-relay")?;
        let made = Command::new(&relay).args(["invite", "--uses", &USES.to_string(), "--data", &data]).output()?;
        let link = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let invite = Invite::from_link(&link).map_err(|error| BenchError::NotStarted("invite", error.to_string()))?;
        Ok(Self { process, invite, folder })
    }

    /// Asks the relay for its counters.
    pub fn counters(&self) -> Result<Counters, BenchError> {
        let told = self.told("counters")?;
        match told["counters"]["syncs"].as_u64() {
            Some(syncs) => Ok(Counters { syncs }),
            None => Err(BenchError::unexpected("its counters", &told)),
        }
    }

    /// Bytes of its database: pages in use.
    pub fn stored_bytes(&self) -> Result<u64, BenchError> {
        let told = self.told("bytes")?;
        told["bytes"].as_u64().ok_or_else(|| BenchError::unexpected("its bytes", &told))
    }

    /// Asks the relay something through its admin socket.
    fn told(&self, command: &str) -> Result<Value, BenchError> {
        let mut socket = UnixStream::connect(self.folder.path().join("data").join("admin.sock"))?;
        writeln!(socket, "{{\"command\":\"{command}\"}}")?;
        let mut line = String::new();
        BufReader::new(&socket).read_line(&mut line)?;
        Ok(serde_json::from_str(&line).unwrap_or_default())
    }
}

/// The bound as a process of its own.
pub struct Bound {
    /// The process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Bound {
    /// Starts it with a port of the system's choice; it forwards between pairs.
    pub fn start() -> Result<Self, BenchError> {
        Self::with(&["bound"])
    }

    /// One that forwards what each says to all others.
    pub fn start_for_all() -> Result<Self, BenchError> {
        Self::with(&["bound", "--to-all"])
    }

    fn with(arguments: &[&str]) -> Result<Self, BenchError> {
        let own = std::env::current_exe()?;
        let (process, line) = Process::start(&own, arguments, "the bound")?;
        let address = line.trim().parse().map_err(|_| BenchError::NotStarted("the bound", line.clone()))?;
        Ok(Self { process, address })
    }
}

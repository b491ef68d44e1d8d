//! A person whose agent runs in this process, and files to move.

use crate::Client;
use aside::agent::{Agent, Choice, Handle};
use aside_engine::Config;
use aside_protocol::Hash;
use aside_protocol::request::BlobRef;
use aside_store::ProfileFolder;
use aside_store::transfers::{Direction, Purpose, Source, Transfer, TransferState};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// Only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a test on a thread with room for handshakes, which need more in a debug build than a runtime's thread has.
pub fn run(test: impl Future<Output = ()> + Send + 'static) {
    let work = move || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(work).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Somebody whose agent can be had.
#[derive(Debug)]
pub struct Person {
    /// Keeps the folder.
    _client: Client,
    /// The profile.
    pub folder: ProfileFolder,
}

impl Person {
    /// Registered with an invite.
    pub fn new(invite: &str, name: &str) -> Self {
        let client = Client::registered(name, invite);
        let folder = ProfileFolder::new(profile(client.home()));
        Self { _client: client, folder }
    }

    /// The agent, with the key in a file.
    pub fn agent(&self) -> Agent {
        Agent::open(&self.folder, Config::default(), Choice::Auto).unwrap()
    }

    /// Where its files lie.
    pub fn blobs(&self) -> PathBuf {
        self.folder.blobs()
    }

    /// Puts a file where transfers look for it.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.blobs()).unwrap();
        fs::write(self.blobs().join(name), bytes).unwrap();
    }
}

/// The one profile in a home.
fn profile(home: &Path) -> PathBuf {
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join("history.db").exists() {
            return folder;
        }
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    panic!("no profile in {}", home.display());
}

/// Bytes that do not repeat soon.
pub fn content(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// What names these bytes.
pub fn of(bytes: &[u8]) -> BlobRef {
    BlobRef { id: Hash::of(bytes), size: bytes.len() as u64 }
}

/// Wants a file of the folder at the relay.
pub async fn upload(handle: &Handle, blob: BlobRef, name: &str) {
    let name = name.to_owned();
    handle.step(move |step| step.upload_blob(&blob, Purpose::History, Source::File(&name))).await.unwrap();
}

/// Wants a blob in the folder.
pub async fn fetch(handle: &Handle, blob: BlobRef) {
    handle.step(move |step| step.fetch_blob(&blob, Purpose::History)).await.unwrap();
}

/// How a transfer ended.
pub async fn ended(handle: &Handle, blob: BlobRef, direction: Direction) -> Transfer {
    let look = move |engine: &mut aside_engine::Engine| {
        let found = engine.read(|tx| Ok(tx.transfer(&blob.id, direction)?))?;
        Ok(found.filter(|transfer| transfer.state != TransferState::Wanted))
    };
    let ended = handle.wait(Instant::now() + PATIENCE, look).await.unwrap();
    ended.unwrap_or_else(|| panic!("it is still under way: {:?}", handle.transfers().borrow()))
}

/// Waits until a transfer is done, and wants it well done.
pub async fn completed(handle: &Handle, blob: BlobRef, direction: Direction) {
    let ended = ended(handle, blob, direction).await;
    assert_eq!((ended.state, ended.error), (TransferState::Complete, None));
}

/// Waits until so much of a transfer under way is done.
pub async fn got_to(handle: &Handle, blob: BlobRef, direction: Direction, done: u64) {
    let mut transfers = handle.transfers();
    let there = transfers.wait_for(|all| all.get(&(blob.id, direction)).is_some_and(|progress| progress.done >= done));
    tokio::time::timeout(PATIENCE, there).await.expect("it got on").unwrap();
}

//! The only place where store, engine and transport meet. Front ends use the [`Handle`] and see none of the three.
//!
//! One thread owns the engine and does its work in order; one task keeps the connection. Front ends ask the thread.

mod connection;
mod enter;
mod link_guest;
mod link_host;
mod machine;
mod paths;
mod places;
mod recover;
mod register;
mod transfer;
mod worker;

pub use aside_transport::{Choice, Transport};
pub use connection::Connectivity;
pub use enter::EnterError;
pub use link_guest::{Linking, Met, link};
pub use link_host::{HostError, Hosting, Wanted};
pub use machine::{fingerprint, own_machine};
pub use recover::{Recovery, recover};
pub use register::{RegisterError, Registration, register};
pub use transfer::{Progress, Transfers, Which};

use aside_engine::{Config, Effect, Engine, EngineError, Random, Step, fresh};
use aside_protocol::Millis;
use aside_store::Tx;
use aside_transport::Rounds;
use connection::Keeper;
use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout, timeout_at};
use transfer::Mover;
use worker::{Worker, WorkerHandle};

/// Randomness from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// Without randomness nothing this program does is safe, so it stops.
    #[allow(clippy::expect_used)]
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives no random numbers");
    }
}

/// The system's clock, moved by `ASIDE_CLOCK_OFFSET_MS` (milliseconds, may be negative) so that tests can set it wrong.
pub fn now() -> Millis {
    static OFFSET: LazyLock<i64> =
        LazyLock::new(|| std::env::var("ASIDE_CLOCK_OFFSET_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(0));
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Millis(now.saturating_add_signed(*OFFSET))
}

/// How long the end may wait for the connection, and for the database.
const CLOSING: Duration = Duration::from_secs(5);

/// What front ends use: asks the engine, waits for changes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    worker: WorkerHandle,
    changes: watch::Receiver<u64>,
    connectivity: watch::Receiver<Connectivity>,
    caught_up: watch::Receiver<bool>,
    nudge: Arc<Notify>,
    transfers: watch::Receiver<Transfers>,
    /// The address of the present connection, or of the last one.
    at: watch::Receiver<Option<String>>,
}

/// A running agent; ends with [`Agent::close`].
#[derive(Debug)]
pub struct Agent {
    handle: Handle,
    stop: watch::Sender<bool>,
    connection: JoinHandle<()>,
    mover: JoinHandle<()>,
    thread: std::thread::JoinHandle<()>,
}

impl Agent {
    /// Starts on an open profile: connects by the transports chosen, and stays connected.
    pub fn start(engine: Engine, choice: Choice) -> Self {
        let (changed, changes) = watch::channel(0);
        let (connected, connectivity) = watch::channel(Connectivity::Connecting);
        let (stop, stopped) = watch::channel(false);
        let (standing, caught_up) = watch::channel(false);
        let wake = Arc::new(Notify::new());
        let (progress, transfers) = watch::channel(Transfers::new());
        let (worker, thread) = Worker::start(engine, changed, standing, wake.clone());
        let nudge = Arc::new(Notify::new());
        let online = connectivity.clone();
        let (at, here) = watch::channel(None);
        let mover = Mover { worker: worker.clone(), wake, online, at: here.clone(), stop: stopped.clone(), progress };
        let handle = Handle {
            worker: worker.clone(),
            changes,
            connectivity,
            caught_up,
            nudge: nudge.clone(),
            transfers,
            at: here,
        };
        let (state, rounds) = (connected, Rounds::new());
        let keeper = Keeper { worker, choice, state, stop: stopped, nudge, rounds, at, suspect: None };
        let (connection, mover) = (tokio::spawn(keeper.run()), tokio::spawn(mover.run()));
        Self { handle, stop, connection, mover, thread }
    }

    /// Opens a profile and starts on it.
    pub fn open(folder: &aside_store::ProfileFolder, config: Config, choice: Choice) -> Result<Self, EngineError> {
        Ok(Self::start(Engine::new(aside_store::Store::open(folder)?, config)?, choice))
    }

    /// For front ends.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Lets what is on its way be answered, for at most `patience`, then closes the connection in order and the database.
    pub async fn close(self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let _ = self.handle.wait(deadline, |engine| Ok(engine.is_idle().then_some(()))).await;
        self.stop.send_replace(true);
        // Closing in order has its own limit; a hanging socket must not keep the process.
        let _ = timeout(CLOSING, self.connection).await;
        let _ = timeout(CLOSING, self.mover).await;
        self.handle.worker.end();
        // A thread that still encrypts while the process exits finds the cryptographic libraries taken apart under it.
        let _ = timeout(CLOSING, spawn_blocking(move || self.thread.join())).await;
    }
}

impl Handle {
    /// Processes something in one transaction. What is asked by several calls happens in their order, whether anybody
    /// waits for the answers or not.
    pub fn step<T, W>(&self, work: W) -> impl Future<Output = Result<T, EngineError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut Step) -> Result<T, EngineError> + Send + 'static,
    {
        self.worker.step(work)
    }

    /// Looks at the store.
    pub fn read<T, W>(&self, work: W) -> impl Future<Output = Result<T, EngineError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&Tx) -> Result<T, EngineError> + Send + 'static,
    {
        self.worker.with(|engine| engine.read(work))
    }

    /// Looks at the engine.
    pub fn with<T, W>(&self, work: W) -> impl Future<Output = Result<T, EngineError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut Engine) -> Result<T, EngineError> + Send + 'static,
    {
        self.worker.with(work)
    }

    /// Looks again after each change until there is something, or `None` at the deadline.
    pub async fn wait<T: Send + 'static>(
        &self,
        deadline: Instant,
        look: impl Fn(&mut Engine) -> Result<Option<T>, EngineError> + Clone + Send + 'static,
    ) -> Result<Option<T>, EngineError> {
        let mut changes = self.changes.clone();
        loop {
            changes.mark_unchanged();
            if let Some(found) = self.with(look.clone()).await? {
                return Ok(Some(found));
            }
            match timeout_at(deadline, changes.changed()).await {
                Ok(Ok(())) => {}
                // The worker ended, or the time is over.
                Ok(Err(_)) | Err(_) => return Ok(None),
            }
        }
    }

    /// The connection as it is now; the receiver tells when it changes.
    pub fn connectivity(&self) -> watch::Receiver<Connectivity> {
        self.connectivity.clone()
    }

    /// Whether the connection is up and the queue read; the receiver tells when that changes.
    pub fn caught_up(&self) -> watch::Receiver<bool> {
        self.caught_up.clone()
    }

    /// A person asks for a connection now: a pause before the next attempt ends, also one that has no end of its own.
    pub fn retry_now(&self) {
        // Remembered until there is a pause, since an attempt may be under way that is about to fail.
        self.nudge.notify_one();
    }

    /// Blobs under way and how far they are; the receiver tells when that changes.
    pub fn transfers(&self) -> watch::Receiver<Transfers> {
        self.transfers.clone()
    }

    /// Told after every change of what front ends show.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }
}

/// A number drawn evenly from 0..1.
fn drawn() -> f64 {
    f64::from(u32::from_be_bytes(fresh(&mut SystemRandom))) / f64::from(u32::MAX)
}

/// Frames among effects.
fn frames(effects: Vec<Effect>) -> impl Iterator<Item = aside_protocol::frame::ClientFrame> {
    effects.into_iter().filter_map(|effect| match effect {
        Effect::Send(frame) => Some(frame),
        Effect::Changed | Effect::Transfers => None,
    })
}

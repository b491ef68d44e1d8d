//! Moves blobs: takes what the store lists, a few at a time, and tells the engine how each ended. What is under way is
//! known from files and from the relay, so a process that is killed goes on where it was.

mod files;
mod moving;

pub(super) use moving::Ended;

use super::connection::Connectivity;
use super::drawn;
use super::worker::WorkerHandle;
use aside_engine::{EngineError, Job};
use aside_protocol::Hash;
use aside_store::transfers::{Direction, TransferState};
use aside_transport::Backoff;
use moving::Moving;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// Transfers under way at a time: one alone would wait for each answer, more would take the line from messages.
const AT_A_TIME: usize = 2;
/// Without anything to wait for, it is looked again after this.
const IDLE: Duration = Duration::from_secs(600);

/// How far a transfer under way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are there.
    pub done: u64,
    /// Bytes there are.
    pub size: u64,
}

/// A transfer's name.
pub type Which = (Hash, Direction);
/// Everything under way.
pub type Transfers = BTreeMap<Which, Progress>;

/// Moves blobs until told to stop.
pub(super) struct Mover {
    pub worker: WorkerHandle,
    pub wake: Arc<Notify>,
    pub online: watch::Receiver<Connectivity>,
    pub at: watch::Receiver<Option<String>>,
    pub stop: watch::Receiver<bool>,
    pub progress: watch::Sender<Transfers>,
}

/// When one that failed is tried again.
struct Pause {
    until: Instant,
    backoff: Backoff,
    /// How far it was.
    done: u64,
}

/// What is under way, and what waits.
#[derive(Default)]
struct State {
    running: JoinSet<(Which, Ended)>,
    active: HashMap<Which, AbortHandle>,
    pauses: HashMap<Which, Pause>,
}

impl Mover {
    /// Runs until told to stop. Without a folder, as in simulations, there is nothing to move.
    pub async fn run(self) {
        let Ok(Some(folder)) = self.prepare().await else { return };
        let (worker, at) = (self.worker.clone(), self.at.clone());
        let moving = Arc::new(Moving { folder, at, worker, progress: self.progress.clone() });
        let (mut state, mut stop, mut online) = (State::default(), self.stop.clone(), self.online.clone());
        loop {
            if let Err(error) = self.start(&moving, &mut state).await {
                tracing::warn!(%error, "files cannot be transferred now");
            }
            let next = state.pauses.values().map(|pause| pause.until).filter(|until| *until > Instant::now()).min();
            tokio::select! {
                Some(ended) = state.running.join_next() => {
                    if let Ok((which, ended)) = ended {
                        self.ended(&moving.folder, which, ended, &mut state).await;
                    }
                }
                () = self.wake.notified() => {}
                Ok(()) = online.changed() => connected(&mut online, &mut state),
                () = sleep_until(next.unwrap_or_else(|| Instant::now() + IDLE)) => {}
                () = stopped(&mut stop) => return,
            }
        }
    }

    /// The folder, cleared of what a former life left.
    async fn prepare(&self) -> Result<Option<PathBuf>, EngineError> {
        let look = self.worker.with(|engine| {
            let folder = engine.blobs().map(PathBuf::from);
            engine.read(|tx| Ok((folder, tx.transfer_files()?, tx.wanted_transfers(u32::MAX)?)))
        });
        let (Some(folder), kept, wanted) = look.await? else { return Ok(None) };
        let parts = wanted.iter().map(|transfer| files::part_name(&transfer.blob.id));
        let keep = kept.into_iter().chain(parts).collect();
        let path = folder.clone();
        files::blocking(move || files::clear(&path, &keep)).await.map_err(|error| {
            EngineError::Bug(format!("the folder for files of the profile cannot be used: {error}"))
        })?;
        Ok(Some(folder))
    }

    /// Ends what nobody wants any more, and begins what there is room for.
    async fn start(&self, moving: &Arc<Moving>, state: &mut State) -> Result<(), EngineError> {
        self.cancel(state).await?;
        let jobs = self.worker.with(|engine| engine.transfer_jobs()).await?;
        for job in jobs {
            if state.active.len() >= AT_A_TIME {
                break;
            }
            let which = (job.transfer.blob.id, job.transfer.direction);
            let waits = state.pauses.get(&which).is_some_and(|pause| pause.until > Instant::now());
            if !waits && !state.active.contains_key(&which) {
                self.begin(moving, state, which, job);
            }
        }
        Ok(())
    }

    fn begin(&self, moving: &Arc<Moving>, state: &mut State, which: Which, job: Job) {
        let (moving, again) = (moving.clone(), state.pauses.contains_key(&which));
        let size = job.transfer.blob.size;
        self.progress.send_modify(|all| {
            all.insert(which, Progress { done: 0, size });
        });
        let handle = state.running.spawn(async move { (which, moving.run(job, again).await) });
        state.active.insert(which, handle);
    }

    async fn cancel(&self, state: &mut State) -> Result<(), EngineError> {
        // Those that wait for their next attempt are among them.
        let active: Vec<Which> = self.progress.borrow().keys().copied().collect();
        if active.is_empty() {
            return Ok(());
        }
        let look = self.worker.with(move |engine| {
            engine.read(|tx| {
                let unwanted = active.into_iter().map(|(blob, direction)| {
                    let found = tx.transfer(&blob, direction)?;
                    let wanted = found.is_some_and(|transfer| transfer.state == TransferState::Wanted);
                    Ok((!wanted).then_some((blob, direction)))
                });
                unwanted.filter_map(Result::transpose).collect::<Result<Vec<Which>, EngineError>>()
            })
        });
        for which in look.await? {
            if let Some(handle) = state.active.remove(&which) {
                handle.abort();
            }
            self.settled(&which, state);
        }
        Ok(())
    }

    /// One is over: the engine is told, or it is tried again later.
    async fn ended(&self, folder: &Path, which: Which, ended: Ended, state: &mut State) {
        if state.active.remove(&which).is_none() {
            return;
        }
        let (blob, direction) = which;
        let told = match ended {
            Ended::Done(bytes) => {
                let done = self.worker.step(move |step| step.blob_done(&blob, direction, bytes.as_deref()));
                let done = done.await.map(|()| self.settled(&which, state));
                // Now the bytes are elsewhere; a part that stays is deleted at the next start.
                if done.is_ok() && direction == Direction::Down {
                    let _ = tokio::fs::remove_file(folder.join(files::part_name(&blob))).await;
                }
                done
            }
            Ended::Failed(error) => {
                let failed = self.worker.step(move |step| step.blob_failed(&blob, direction, &error));
                failed.await.map(|()| self.settled(&which, state))
            }
            Ended::Lapsed => {
                state.pause(which, Duration::ZERO, self.done(&which));
                self.worker
                    .step(move |step| {
                        step.leave_lapsed(&blob);
                        Ok(())
                    })
                    .await
            }
            Ended::Later(error, at_least) => {
                tracing::info!(%error, "a file is tried again later");
                state.pause(which, at_least, self.done(&which));
                self.worker.step(move |step| step.blob_delayed(&blob, direction, &error)).await
            }
        };
        if let Err(error) = told {
            tracing::warn!(%error, "what came of a file could not be stored");
            state.pause(which, Duration::from_secs(1), 0);
        }
    }

    fn done(&self, which: &Which) -> u64 {
        self.progress.borrow().get(which).map_or(0, |progress| progress.done)
    }

    fn settled(&self, which: &Which, state: &mut State) {
        state.pauses.remove(which);
        self.progress.send_modify(|all| {
            all.remove(which);
        });
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender's end is the end too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The network is there again: nothing that it was to blame for waits any longer.
fn connected(online: &mut watch::Receiver<Connectivity>, state: &mut State) {
    if matches!(*online.borrow_and_update(), Connectivity::Online(_)) {
        let now = Instant::now();
        state.pauses.values_mut().for_each(|pause| pause.until = now);
    }
}

impl State {
    /// It waits longer each time in a row that brought nothing; what got on goes on at once.
    fn pause(&mut self, which: Which, at_least: Duration, done: u64) {
        let fresh = || Pause { until: Instant::now(), backoff: Backoff::new(), done };
        let pause = self.pauses.entry(which).or_insert_with(fresh);
        let wait = if done > pause.done {
            (pause.backoff, pause.done) = (Backoff::new(), done);
            Duration::ZERO
        } else {
            pause.backoff.next(drawn())
        };
        pause.until = Instant::now() + wait.max(at_least);
    }
}

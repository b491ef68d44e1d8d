//! The thread that owns the engine. Everything that touches the store runs here, in the order it was asked.

use super::{SystemRandom, now};
use aside_engine::{Effect, Engine, EngineError, Step};
use aside_protocol::frame::{ClientFrame, LoginOk, RelayFrame};
use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// What the thread is asked for; it ends when told so, even while others could still ask.
enum Job {
    Work(Box<dyn FnOnce(&mut Worker) + Send>),
    End,
}

/// The engine and where its effects go.
pub(super) struct Worker {
    engine: Engine,
    changed: watch::Sender<u64>,
    caught_up: watch::Sender<bool>,
    transfers: Arc<Notify>,
    outgoing: Option<mpsc::UnboundedSender<ClientFrame>>,
}

/// Asks the worker; the worker ends when it is told to, or when the last of these is dropped.
#[derive(Debug, Clone)]
pub(super) struct WorkerHandle(Sender<Job>);

impl Worker {
    /// Starts the thread.
    pub fn start(
        engine: Engine,
        changed: watch::Sender<u64>,
        caught_up: watch::Sender<bool>,
        transfers: Arc<Notify>,
    ) -> (WorkerHandle, JoinHandle<()>) {
        let (jobs, queue): (Sender<Job>, Receiver<Job>) = channel();
        let mut worker = Self { engine, changed, caught_up, transfers, outgoing: None };
        let thread = std::thread::spawn(move || {
            for job in queue {
                match job {
                    Job::Work(work) => {
                        work(&mut worker);
                        worker.note_standing();
                    }
                    Job::End => return,
                }
            }
        });
        (WorkerHandle(jobs), thread)
    }

    /// Effects run after their transaction was committed. The queue to the connection has no bound of its own: the
    /// engine never has more than 64 messages a chat unanswered.
    fn run(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match (effect, &self.outgoing) {
                (Effect::Send(frame), Some(outgoing)) => drop(outgoing.send(frame)),
                (Effect::Send(_), None) => {}
                (Effect::Changed, _) => self.changed.send_modify(|version| *version += 1),
                (Effect::Transfers, _) => self.transfers.notify_one(),
            }
        }
    }

    /// Says whether the queue is caught up with, if that is news.
    fn note_standing(&self) {
        let now = self.engine.caught_up();
        self.caught_up.send_if_modified(|before| std::mem::replace(before, now) != now);
    }

    fn take<T>(&mut self, result: Result<(T, Vec<Effect>), EngineError>) -> Result<T, EngineError> {
        match result {
            Ok((value, effects)) => {
                self.run(effects);
                Ok(value)
            }
            Err(error) => {
                // The engine has forgotten the connection, so the connection must end too.
                self.outgoing = None;
                Err(error)
            }
        }
    }
}

impl WorkerHandle {
    /// Asks at once, in the order of the calls; only the answer is waited for.
    fn ask<T, J>(&self, job: J) -> impl Future<Output = Result<T, EngineError>> + Send + use<T, J>
    where
        T: Send + 'static,
        J: FnOnce(&mut Worker) -> Result<T, EngineError> + Send + 'static,
    {
        let gone = || EngineError::Bug("the engine's thread has ended".into());
        let (answer, answered) = oneshot::channel();
        let job = Job::Work(Box::new(move |worker| drop(answer.send(job(worker)))));
        // Nobody takes the job any more: its answer's other end is dropped with it.
        drop(self.0.send(job));
        async move { answered.await.map_err(|_| gone())? }
    }

    /// Works with the engine where no frames can follow.
    pub fn with<T, W>(&self, work: W) -> impl Future<Output = Result<T, EngineError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut Engine) -> Result<T, EngineError> + Send + 'static,
    {
        self.ask(|worker| work(&mut worker.engine))
    }

    /// One step of the engine.
    pub fn step<T, W>(&self, work: W) -> impl Future<Output = Result<T, EngineError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut Step) -> Result<T, EngineError> + Send + 'static,
    {
        self.ask(|worker| {
            let result = worker.engine.step(now(), &mut SystemRandom, work);
            worker.take(result)
        })
    }

    /// A connection is up; frames for it go to `outgoing`.
    pub async fn logged_in(
        &self,
        ok: LoginOk,
        outgoing: mpsc::UnboundedSender<ClientFrame>,
    ) -> Result<(), EngineError> {
        self.ask(move |worker| {
            worker.outgoing = Some(outgoing);
            let result = worker.engine.logged_in(&ok, now(), &mut SystemRandom);
            worker.take(result.map(|effects| ((), effects)))
        })
        .await
    }

    /// Frames came.
    pub async fn frames(&self, frames: Vec<RelayFrame>) -> Result<(), EngineError> {
        self.ask(move |worker| {
            let result = worker.engine.frames(frames, now(), &mut SystemRandom);
            worker.take(result.map(|effects| ((), effects)))
        })
        .await
    }

    /// A second has passed.
    pub async fn tick(&self) -> Result<(), EngineError> {
        self.ask(move |worker| {
            let result = worker.engine.tick(now(), &mut SystemRandom);
            worker.take(result.map(|effects| ((), effects)))
        })
        .await
    }

    /// The connection is gone; returns what it should still have acknowledged.
    pub async fn disconnected(&self) -> Vec<Effect> {
        let last = self.ask(|worker| {
            worker.outgoing = None;
            let acks = worker.engine.last_acks();
            worker.engine.disconnected();
            worker.changed.send_modify(|version| *version += 1);
            Ok(acks)
        });
        last.await.unwrap_or_default()
    }

    /// Ends the thread after what was asked before.
    pub fn end(&self) {
        // One that has ended already needs no telling.
        let _ = self.0.send(Job::End);
    }
}

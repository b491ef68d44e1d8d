//! Keeps one connection: dials, logs in, carries frames both ways, dials again.

use super::places::Places;
use super::worker::WorkerHandle;
use super::{drawn, frames, paths};
use aside_engine::EngineError;
use aside_protocol::frame::{ClientFrame, RelayFrame};
use aside_transport::{Choice, Greeted, Known, Link, LinkEvent, Rounds, Transport, TransportError, Way, dial_with};
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Most frames that the engine takes in one transaction: a burst costs one fsync, a quiet message waits for nobody.
const BATCH: usize = 128;

/// How things stand with the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connectivity {
    /// Not yet, but trying.
    Connecting,
    /// Logged in, over this transport.
    Online(Transport),
    /// Not now; tried again by itself.
    Offline(TransportError),
    /// Not until a person acts.
    Stopped(TransportError),
    /// The engine failed, for example because the disk is full; tried again by itself.
    Failed(String),
}

/// Why a connection ended.
enum End {
    Stopped,
    Transport(TransportError),
    Engine(EngineError),
}

impl From<EngineError> for End {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<TransportError> for End {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

/// Keeps one connection.
pub(super) struct Keeper {
    pub worker: WorkerHandle,
    pub choice: Choice,
    pub state: watch::Sender<Connectivity>,
    pub stop: watch::Receiver<bool>,
    /// A person asks for the next attempt.
    pub nudge: Arc<Notify>,
    /// Which address comes next, and when.
    pub rounds: Rounds,
    /// The address of the present connection, or of the last one.
    pub at: watch::Sender<Option<String>>,
    /// The way of a connection that died without a word; the next attempt begins with the other transport.
    pub suspect: Option<Way>,
}

impl Keeper {
    /// Runs until told to stop.
    pub async fn run(mut self) {
        loop {
            let mut at = None;
            let (now, pause) = match self.once(&mut at).await {
                End::Stopped => return,
                End::Transport(error) => {
                    let pause = self.rounds.ended(&error, at.as_deref(), drawn());
                    let fatal = error.is_fatal();
                    (if fatal { Connectivity::Stopped(error) } else { Connectivity::Offline(error) }, pause)
                }
                End::Engine(error) => {
                    let pause = self.rounds.failed(drawn()).max(Duration::from_secs(1));
                    (Connectivity::Failed(error.to_string()), pause)
                }
            };
            let stopped = matches!(now, Connectivity::Stopped(_));
            tracing::debug!(?now, ?pause, "the next attempt follows the pause");
            self.state.send_replace(now);
            let asked = tokio::select! {
                () = sleep(pause), if !stopped => false,
                () = self.nudge.notified() => true,
                _ = self.stop.wait_for(|stop| *stop) => return,
            };
            if asked {
                self.begin_afresh();
            }
        }
    }

    /// A person asked: what failed before says nothing about how long to wait after this.
    fn begin_afresh(&mut self) {
        self.rounds.reset();
        self.state.send_replace(Connectivity::Connecting);
    }

    /// One connection, from dialling to its end, and `at` which address it was. Whatever it dies of after the relay was
    /// reached is looked at: a path may die before the login is answered.
    async fn once(&mut self, at: &mut Option<String>) -> End {
        let reached = match self.reach().await {
            Ok(reached) => reached,
            Err(end) => return end,
        };
        *at = Some(reached.greeted.address().to_owned());
        self.at.send_replace(at.clone());
        let way = reached.greeted.way();
        let end = match self.unless_stopped(log_in(&self.worker, self.choice, reached)).await {
            Ok(link) => self.carry(link, way).await,
            Err(end) => end,
        };
        self.suspect = suspicion(&end, way);
        end
    }

    async fn reach(&mut self) -> Result<Reached, End> {
        // Only the next attempt doubts it: if that fails too, the relay was gone and not the way to it.
        let suspect = self.suspect.take();
        let look = self.worker.with(|engine| engine.read(|tx| Ok((Places::read(tx)?, paths::known(tx)?))));
        let (places, known) = look.await?;
        let (target, plan) = (places.next(&mut self.rounds), paths::plan(self.choice, known.clone(), suspect));
        let dialled = async { Ok(dial_with(&target, &plan).await?) };
        self.unless_stopped(dialled).await.map(|greeted| Reached { greeted, known })
    }

    /// What something comes to, unless told to stop first.
    async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, End>>) -> Result<T, End> {
        let mut stop = self.stop.clone();
        tokio::select! {
            ended = work => ended,
            _ = stop.wait_for(|stop| *stop) => Err(End::Stopped),
        }
    }

    /// Carries frames until the connection ends.
    async fn carry(&mut self, mut link: Carried, way: Way) -> End {
        self.state.send_replace(Connectivity::Online(way.transport));
        let end = tokio::select! {
            end = link.carry(&self.worker, &mut self.rounds) => end,
            _ = self.stop.wait_for(|stop| *stop) => End::Stopped,
        };
        let last = self.worker.disconnected().await;
        link.finish(frames(last)).await;
        end
    }
}

/// The way, if the end was one that it may be to blame for.
fn suspicion(end: &End, way: Way) -> Option<Way> {
    match end {
        End::Transport(error) if error.blames_path() => Some(way),
        _ => None,
    }
}

/// A relay that does not know yet who we are, and what was known of networks before.
struct Reached {
    greeted: Greeted,
    known: Known,
}

async fn log_in(worker: &WorkerHandle, choice: Choice, reached: Reached) -> Result<Carried, End> {
    let Reached { greeted, known } = reached;
    let way = greeted.way();
    let transcript = greeted.transcript().clone();
    let signed = worker.with(move |engine| {
        let me = engine.me();
        Ok((me.device, me.key.sign(&transcript.device_signs(&me.device))))
    });
    let (device, signature) = signed.await?;
    let (link, ok) = greeted.login(device, signature).await?;
    let (sender, outgoing) = mpsc::unbounded_channel();
    worker.logged_in(ok, sender).await?;
    if let Some(news) = paths::news(choice, &known, way) {
        worker.step(move |step| paths::learn(step.tx, news)).await?;
    }
    Ok(Carried { link, outgoing, waiting: VecDeque::new() })
}

/// A link and what waits for room on it.
struct Carried {
    link: Link,
    outgoing: mpsc::UnboundedReceiver<ClientFrame>,
    waiting: VecDeque<ClientFrame>,
}

impl Carried {
    /// Carries frames both ways until one side ends. Never waits for room on the link without reading from it.
    async fn carry(&mut self, worker: &WorkerHandle, rounds: &mut Rounds) -> End {
        let room = self.link.frames.clone();
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                event = self.link.events.recv() => self.arrived(event, worker, rounds).await,
                permit = room.reserve(), if !self.waiting.is_empty() && !room.is_closed() => {
                    if let (Ok(permit), Some(frame)) = (permit, self.waiting.pop_front()) {
                        permit.send(frame);
                    }
                    Ok(())
                }
                frame = self.outgoing.recv() => match frame {
                    Some(frame) => {
                        self.waiting.push_back(frame);
                        Ok(())
                    }
                    None => Err(End::Transport(TransportError::Closed)),
                },
                _ = second.tick() => worker.tick().await.map_err(End::from),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Hands the engine a frame and those right behind it.
    async fn arrived(
        &mut self,
        event: Option<LinkEvent>,
        worker: &WorkerHandle,
        rounds: &mut Rounds,
    ) -> Result<(), End> {
        let mut batch = Vec::new();
        let mut next = event;
        let end = loop {
            match next {
                Some(LinkEvent::Frame(frame)) => batch.push(frame),
                Some(LinkEvent::Closed(error)) => break Some(error),
                None => break Some(TransportError::Closed),
            }
            match self.link.events.try_recv() {
                Ok(event) if batch.len() < BATCH => next = Some(event),
                Ok(event) => {
                    take(std::mem::take(&mut batch), worker, rounds).await?;
                    next = Some(event);
                }
                Err(_) => break None,
            }
        };
        take(batch, worker, rounds).await?;
        end.map_or(Ok(()), |error| Err(End::Transport(error)))
    }

    /// Sends what waits and closes in order; a dead link just ends.
    async fn finish(mut self, last: impl Iterator<Item = ClientFrame>) {
        while let Ok(frame) = self.outgoing.try_recv() {
            self.waiting.push_back(frame);
        }
        for frame in self.waiting.into_iter().chain(last) {
            if self.link.frames.try_send(frame).is_err() {
                break;
            }
        }
        self.link.close().await;
    }
}

/// Hands the engine a batch. A link that brought something the engine took has proved useful, even if it breaks before
/// all is caught up: who has much to catch up with over a bad network must not be kept away longer each time.
async fn take(batch: Vec<RelayFrame>, worker: &WorkerHandle, rounds: &mut Rounds) -> Result<(), EngineError> {
    if batch.is_empty() {
        return Ok(());
    }
    let brought =
        |frame: &RelayFrame| matches!(frame, RelayFrame::Deliver(_) | RelayFrame::CaughtUp(_) | RelayFrame::Answer(_));
    let useful = batch.iter().any(brought);
    worker.frames(batch).await?;
    if useful {
        rounds.reset();
    }
    Ok(())
}

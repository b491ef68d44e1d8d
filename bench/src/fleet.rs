//! Many connections under load: each keeps `window` messages unanswered, and notes when those of its partner come.
//!
//! Once-ness and order are checked as the messages come: a figure of a relay that loses one is worth nothing.

use crate::error::BenchError;
use crate::figures::quantile;
use crate::wire::Wire;
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Load before the clock starts: queues fill, caches warm up.
const WARM_UP: Duration = Duration::from_millis(1500);
/// Everything that was sent must have come by then.
const PATIENCE_S: u64 = 60;
/// Bytes of a message's body: about what a short text is once padded and encrypted.
pub const BODY: usize = 300;

/// One end of a pair: how it says a message, and what it hears.
pub trait Talker: Send + 'static {
    /// The connection.
    fn wire(&mut self) -> &mut Wire;
    /// The frame of its next message, with the stamp inside.
    fn message(&mut self, stamp: Stamp) -> Bytes;
    /// What a frame that came means.
    fn hear(&mut self, frame: &Bytes) -> Result<Heard, BenchError>;
    /// Feeds what it owes for what came; `all` when a second has passed.
    fn settle(&mut self, all: bool) -> impl Future<Output = Result<(), BenchError>> + Send;
}

/// What a frame meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// One of its own messages was answered.
    Answered,
    /// The partner's message came.
    Message(Stamp),
    /// Something else.
    Nothing,
}

/// The first bytes of a body: which message it is and when it was made, nanoseconds of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Counts from 1 at each sender.
    pub number: u64,
    /// When.
    pub nanos: u64,
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Stamp {
    /// Made now.
    pub fn now(number: u64) -> Self {
        Self { number, nanos: u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX) }
    }

    /// Writes it over the beginning of a body.
    pub fn put(self, body: &mut [u8]) {
        if let Some(stamp) = body.first_chunk_mut::<16>() {
            stamp[..8].copy_from_slice(&self.number.to_be_bytes());
            stamp[8..].copy_from_slice(&self.nanos.to_be_bytes());
        }
    }

    /// Reads it from the beginning of a body.
    pub fn of(body: &[u8]) -> Result<Self, BenchError> {
        match body.first_chunk::<16>() {
            Some(chunk) => {
                let number = |at: usize| chunk[at..at + 8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                Ok(Self { number: number(0), nanos: number(8) })
            }
            None => Err(BenchError::Misbehaved("a body lost its beginning".into())),
        }
    }

    /// How long ago it was made, in microseconds.
    pub fn age_us(self) -> u32 {
        u32::try_from((Self::now(0).nanos.saturating_sub(self.nanos)) / 1000).unwrap_or(u32::MAX)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Quiet,
    Talking,
}

/// What one connection has done so far.
#[derive(Debug, Default)]
struct Tally {
    sent: AtomicU64,
    answered: AtomicU64,
    received: AtomicU64,
    ages_us: Mutex<Vec<u32>>,
}

/// Connections that are up and quiet until they are told to talk.
pub struct Fleet {
    tallies: Vec<Arc<Tally>>,
    phase: watch::Sender<Phase>,
    recording: Arc<AtomicBool>,
    tasks: JoinSet<Result<(), BenchError>>,
}

/// What was measured in one run.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Messages that reached their reader.
    pub messages: u64,
    /// In this time.
    pub seconds: f64,
    /// From making a message to its reader having it, median.
    pub p50_ms: f64,
    /// The same, 99th of 100.
    pub p99_ms: f64,
}

impl Sample {
    /// Messages a second.
    pub fn per_second(&self) -> f64 {
        self.messages as f64 / self.seconds
    }
}

impl Fleet {
    /// Takes over connected talkers; those at 2k and 2k + 1 are partners.
    pub fn new(talkers: Vec<impl Talker>, window: u64) -> Self {
        let (phase, _) = watch::channel(Phase::Quiet);
        let recording = Arc::new(AtomicBool::new(false));
        let (mut tallies, mut tasks) = (Vec::new(), JoinSet::new());
        for talker in talkers {
            let tally = Arc::new(Tally::default());
            tallies.push(tally.clone());
            let (recording, phase) = (recording.clone(), phase.subscribe());
            let player =
                Player { talker, tally, recording, window, sent: 0, answered: 0, received: 0, fresh: Vec::new() };
            tasks.spawn(player.play(phase));
        }
        Self { tallies, phase, recording, tasks }
    }

    /// Lets everybody talk for so long, then waits until every message has come. `at` is called when the clock starts
    /// and when it stops.
    pub async fn run<T>(
        &mut self,
        time: Duration,
        mut at: impl FnMut() -> Result<T, BenchError>,
    ) -> Result<(Sample, T, T), BenchError> {
        self.phase.send_replace(Phase::Talking);
        self.pass(WARM_UP).await?;
        let (before, began, first) = (self.received(), Instant::now(), at()?);
        self.recording.store(true, Ordering::Relaxed);
        self.pass(time).await?;
        self.recording.store(false, Ordering::Relaxed);
        let (messages, seconds, last) = (self.received() - before, began.elapsed().as_secs_f64(), at()?);
        self.phase.send_replace(Phase::Quiet);
        self.come_to_rest().await?;
        let ages = self.ages_us();
        let (p50_ms, p99_ms) = (quantile(&ages, 0.5) / 1000.0, quantile(&ages, 0.99) / 1000.0);
        Ok((Sample { messages, seconds, p50_ms, p99_ms }, first, last))
    }

    /// Lets time pass; a connection that ends meanwhile ends the measurement.
    async fn pass(&mut self, time: Duration) -> Result<(), BenchError> {
        tokio::select! {
            () = sleep(time) => Ok(()),
            Some(ended) = self.tasks.join_next() => Err(match ended {
                Ok(Err(error)) => error,
                _ => BenchError::Misbehaved("a connection ended".into()),
            }),
        }
    }

    async fn come_to_rest(&mut self) -> Result<(), BenchError> {
        for _ in 0..PATIENCE_S * 20 {
            if self.tallies.chunks(2).all(at_rest) {
                return Ok(());
            }
            self.pass(Duration::from_millis(50)).await?;
        }
        Err(BenchError::Stuck(PATIENCE_S, "the last messages were awaited"))
    }

    fn received(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.received.load(Ordering::Relaxed)).sum()
    }

    fn ages_us(&self) -> Vec<u32> {
        let mut all = Vec::new();
        for tally in &self.tallies {
            all.append(&mut tally.ages_us.lock().unwrap_or_else(PoisonError::into_inner));
        }
        all.sort_unstable();
        all
    }
}

/// Everything a pair sent was answered and came.
fn at_rest(pair: &[Arc<Tally>]) -> bool {
    let [one, other] = pair else { return true };
    let done = |from: &Tally, to: &Tally| {
        let sent = from.sent.load(Ordering::SeqCst);
        from.answered.load(Ordering::SeqCst) == sent && to.received.load(Ordering::SeqCst) == sent
    };
    done(one, other) && done(other, one)
}

struct Player<T> {
    talker: T,
    tally: Arc<Tally>,
    recording: Arc<AtomicBool>,
    window: u64,
    sent: u64,
    answered: u64,
    received: u64,
    /// Ages not in the tally yet.
    fresh: Vec<u32>,
}

impl<T: Talker> Player<T> {
    async fn play(mut self, mut phase: watch::Receiver<Phase>) -> Result<(), BenchError> {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut all = false;
            tokio::select! {
                frame = self.talker.wire().next() => self.hear(&frame?)?,
                _ = second.tick() => all = true,
                changed = phase.changed() => if changed.is_err() { return Ok(()) },
            }
            while let Some(frame) = self.talker.wire().ready()? {
                self.hear(&frame)?;
            }
            if *phase.borrow() == Phase::Talking {
                self.top_up().await?;
            }
            self.talker.settle(all).await?;
            self.talker.wire().flush().await?;
            self.publish();
        }
    }

    fn hear(&mut self, frame: &Bytes) -> Result<(), BenchError> {
        match self.talker.hear(frame)? {
            Heard::Nothing => {}
            Heard::Answered => self.answered += 1,
            Heard::Message(stamp) if stamp.number == self.received + 1 => {
                self.received += 1;
                if self.recording.load(Ordering::Relaxed) {
                    self.fresh.push(stamp.age_us());
                }
            }
            Heard::Message(stamp) => {
                let text = format!("message {} came after {}", stamp.number, self.received);
                return Err(BenchError::Misbehaved(text));
            }
        }
        Ok(())
    }

    async fn top_up(&mut self) -> Result<(), BenchError> {
        while self.sent - self.answered < self.window {
            self.sent += 1;
            let frame = self.talker.message(Stamp::now(self.sent));
            self.talker.wire().feed(frame).await?;
        }
        Ok(())
    }

    fn publish(&mut self) {
        self.tally.sent.store(self.sent, Ordering::SeqCst);
        self.tally.answered.store(self.answered, Ordering::SeqCst);
        self.tally.received.store(self.received, Ordering::SeqCst);
        if !self.fresh.is_empty() {
            self.tally.ages_us.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.fresh);
        }
    }
}

/// Waits no longer than any step of a measurement may take.
pub async fn within<T>(what: &'static str, work: impl Future<Output = Result<T, BenchError>>) -> Result<T, BenchError> {
    timeout(Duration::from_secs(PATIENCE_S), work).await.unwrap_or(Err(BenchError::Stuck(PATIENCE_S, what)))
}

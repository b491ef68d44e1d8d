//! One who writes and many who read, each a connection of its own; one message outstanding.
//!
//! Every reader checks that it gets each message once and in order. The next message is written when the last reader has
//! the one before and its writer has the answer.

use super::talker::Heard;
use crate::bound::BoundTalker;
use crate::error::BenchError;
use crate::figures::quantile;
use crate::fleet::{self, Stamp, Talker, within};
use crate::wire::Wire;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// One connection.
pub trait Voice: Send + 'static {
    /// The connection.
    fn wire(&mut self) -> &mut Wire;
    /// The frame of its next message, with the stamp inside.
    fn message(&mut self, stamp: Stamp) -> Bytes;
    /// A frame that says it has read everything so far; none where nobody wants to know.
    fn receipt(&mut self) -> Option<Bytes>;
    /// What a frame that came means.
    fn hear(&mut self, frame: &Bytes) -> Result<Heard, BenchError>;
    /// Feeds what it owes for what came; `all` when a second has passed.
    fn settle(&mut self, all: bool) -> impl Future<Output = Result<(), BenchError>> + Send;
}

impl Voice for BoundTalker {
    fn wire(&mut self) -> &mut Wire {
        Talker::wire(self)
    }

    fn message(&mut self, stamp: Stamp) -> Bytes {
        Talker::message(self, stamp)
    }

    fn receipt(&mut self) -> Option<Bytes> {
        None
    }

    fn hear(&mut self, frame: &Bytes) -> Result<Heard, BenchError> {
        Ok(match Talker::hear(self, frame)? {
            fleet::Heard::Answered => Heard::Answered,
            fleet::Heard::Message(stamp) => Heard::Message(stamp),
            fleet::Heard::Nothing => Heard::Nothing,
        })
    }

    async fn settle(&mut self, _: bool) -> Result<(), BenchError> {
        Ok(())
    }
}

/// What the readers share.
#[derive(Debug, Default)]
struct Shared {
    /// Readers that have not got the present message.
    left: AtomicUsize,
    /// The age of the present message when the last of them got it.
    last_us: AtomicU32,
    done: Notify,
    /// Whether each reader says after each message that it has read it.
    receipts: AtomicBool,
    sent: AtomicU64,
    noted: AtomicU64,
    pushed: AtomicU64,
}

/// Everybody, connected and quiet.
pub struct Crowd<V> {
    writer: V,
    readers: usize,
    shared: Arc<Shared>,
    tasks: JoinSet<Result<(), BenchError>>,
    number: u64,
}

/// What a number of messages showed.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Messages times readers.
    pub deliveries: u64,
    /// How long all of it took.
    pub seconds: f64,
    /// From making a message to the answer that it is stored: median and 99th of 100.
    pub sent_ms: (f64, f64),
    /// From making a message to the last reader having it, the same.
    pub last_ms: (f64, f64),
}

impl Sample {
    /// Deliveries a second.
    pub fn per_second(&self) -> f64 {
        self.deliveries as f64 / self.seconds
    }
}

/// Receipts: what was sent, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    /// Sent by readers and stored by the relay.
    pub sent: u64,
    /// Delivered to anybody.
    pub pushed: u64,
}

impl<V: Voice> Crowd<V> {
    /// The first one writes, the others read.
    pub fn new(voices: Vec<V>) -> Result<Self, BenchError> {
        let mut voices = voices.into_iter();
        let writer = voices.next().ok_or_else(|| BenchError::Failed("a group has somebody who writes".into()))?;
        let (shared, mut tasks, readers) = (Arc::new(Shared::default()), JoinSet::new(), voices.len());
        for voice in voices {
            tasks.spawn(Reader { voice, shared: shared.clone(), received: 0 }.read());
        }
        Ok(Self { writer, readers, shared, tasks, number: 0 })
    }

    /// Writes so many messages, one after the other.
    pub async fn say(&mut self, messages: u64) -> Result<Sample, BenchError> {
        let (mut sent, mut last, began) = (Vec::new(), Vec::new(), Instant::now());
        for _ in 0..messages {
            let (sent_us, last_us) = within("a message was awaited", self.say_one()).await?;
            sent.push(sent_us);
            last.push(last_us);
        }
        let seconds = began.elapsed().as_secs_f64();
        Ok(Sample { deliveries: messages * self.readers as u64, seconds, sent_ms: spread(sent), last_ms: spread(last) })
    }

    /// The same, and each reader says after each message that it has read it.
    pub async fn say_with_receipts(&mut self, messages: u64) -> Result<Noted, BenchError> {
        self.shared.receipts.store(true, Ordering::SeqCst);
        self.say(messages).await?;
        self.shared.receipts.store(false, Ordering::SeqCst);
        let wanted = messages * self.readers as u64;
        within("the last receipts were awaited", self.noted(wanted)).await?;
        let sent = self.shared.sent.load(Ordering::SeqCst);
        if sent != wanted {
            return Err(BenchError::Misbehaved(format!("{sent} receipts were sent instead of {wanted}")));
        }
        Ok(Noted { sent, pushed: self.shared.pushed.load(Ordering::SeqCst) })
    }

    /// The one who writes, while nothing is outstanding.
    pub fn writer(&mut self) -> &mut V {
        &mut self.writer
    }

    async fn say_one(&mut self) -> Result<(u32, u32), BenchError> {
        self.number += 1;
        self.shared.left.store(self.readers, Ordering::SeqCst);
        let stamp = Stamp::now(self.number);
        let frame = self.writer.message(stamp);
        self.writer.wire().feed(frame).await?;
        self.writer.wire().flush().await?;
        let (mut sent_us, mut done) = (None, false);
        while sent_us.is_none() || !done {
            tokio::select! {
                frame = self.writer.wire().next() => if self.writer.hear(&frame?)? == Heard::Answered {
                    sent_us = Some(stamp.age_us());
                },
                () = self.shared.done.notified() => done = true,
                Some(ended) = self.tasks.join_next() => return Err(ending(ended)),
            }
        }
        self.writer.settle(false).await?;
        self.writer.wire().flush().await?;
        Ok((sent_us.unwrap_or_default(), self.shared.last_us.load(Ordering::SeqCst)))
    }

    async fn noted(&mut self, wanted: u64) -> Result<(), BenchError> {
        while self.shared.noted.load(Ordering::SeqCst) < wanted {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
                Some(ended) = self.tasks.join_next() => return Err(ending(ended)),
            }
        }
        Ok(())
    }
}

fn ending(ended: Result<Result<(), BenchError>, tokio::task::JoinError>) -> BenchError {
    match ended {
        Ok(Err(error)) => error,
        _ => BenchError::Misbehaved("a connection ended".into()),
    }
}

fn spread(mut values_us: Vec<u32>) -> (f64, f64) {
    values_us.sort_unstable();
    (quantile(&values_us, 0.5) / 1000.0, quantile(&values_us, 0.99) / 1000.0)
}

struct Reader<V> {
    voice: V,
    shared: Arc<Shared>,
    received: u64,
}

impl<V: Voice> Reader<V> {
    async fn read(mut self) -> Result<(), BenchError> {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut all = false;
            tokio::select! {
                frame = self.voice.wire().next() => self.hear(&frame?).await?,
                _ = second.tick() => all = true,
            }
            while let Some(frame) = self.voice.wire().ready()? {
                self.hear(&frame).await?;
            }
            self.voice.settle(all).await?;
            self.voice.wire().flush().await?;
        }
    }

    async fn hear(&mut self, frame: &Bytes) -> Result<(), BenchError> {
        match self.voice.hear(frame)? {
            Heard::Message(stamp) => self.got(stamp).await?,
            Heard::Noted => drop(self.shared.noted.fetch_add(1, Ordering::SeqCst)),
            Heard::Receipt => drop(self.shared.pushed.fetch_add(1, Ordering::SeqCst)),
            Heard::Answered | Heard::Nothing => {}
        }
        Ok(())
    }

    async fn got(&mut self, stamp: Stamp) -> Result<(), BenchError> {
        if stamp.number != self.received + 1 {
            let text = format!("message {} came after {}", stamp.number, self.received);
            return Err(BenchError::Misbehaved(text));
        }
        self.received = stamp.number;
        if self.shared.receipts.load(Ordering::SeqCst)
            && let Some(frame) = self.voice.receipt()
        {
            self.shared.sent.fetch_add(1, Ordering::SeqCst);
            self.voice.wire().feed(frame).await?;
        }
        if self.shared.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.shared.last_us.store(stamp.age_us(), Ordering::SeqCst);
            self.shared.done.notify_one();
        }
        Ok(())
    }
}

//! A live connection: two tasks, one that reads and one that writes, between bounded queues.
//!
//! The reader owns the end: whatever happens, it says [`LinkEvent::Closed`] once, last. The writer never reports;
//! when it fails, the reader goes on for a moment, because what the relay said last tells more than a broken pipe.

use crate::error::TransportError;
use crate::socket::{Reading, Writing};
use crate::timing::Timing;
use aside_protocol::frame::{ClientFrame, Ping, RelayFrame};
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

/// Frames that may wait to be written.
const OUTGOING: usize = 64;
/// Events that may wait to be taken; when full, the socket is not read, and the transport slows the relay down.
const INCOMING: usize = 128;

/// What a link says.
#[allow(clippy::large_enum_variant)] // nearly all are frames, and each is moved once
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// A frame of the relay. Pongs, goodbyes and fatal faults do not come as frames.
    Frame(RelayFrame),
    /// The connection is over, and why. Nothing follows.
    Closed(TransportError),
}

/// A logged-in connection. Dropping it closes the socket at once; [`Link::close`] does so in order.
///
/// Both queues are bounded: who waits for room in `frames` must take from `events` meanwhile, or both sides of the
/// connection may end up waiting for each other.
#[derive(Debug)]
pub struct Link {
    /// What to send, in order. Fails once the link is over.
    pub frames: mpsc::Sender<ClientFrame>,
    /// What happened, in order; ends after [`LinkEvent::Closed`].
    pub events: mpsc::Receiver<LinkEvent>,
    closing: Arc<Notify>,
    tasks: JoinSet<()>,
    timing: Timing,
}

impl Link {
    /// Takes over a socket that is logged in.
    pub(crate) fn start(writing: Writing, reading: Reading, timing: Timing) -> Self {
        let (frames, outgoing) = mpsc::channel(OUTGOING);
        let (incoming, events) = mpsc::channel(INCOMING);
        let (failed, failure) = oneshot::channel();
        let closing = Arc::new(Notify::new());
        let ping = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        let writer = Writer { socket: writing, outgoing, ping: ping.clone(), closing: closing.clone(), timing };
        let writer_task = tasks.spawn(async move {
            // The reader may be gone already; then nobody needs to know.
            let _ = failed.send(writer.run().await);
        });
        tasks.spawn(Reader { socket: reading, incoming, ping, timing }.run(failure, writer_task));
        Self { frames, events, closing, tasks, timing }
    }

    /// Sends what waits, closes the connection in order and waits for the relay to do the same, for 3 seconds at most.
    /// What the relay sends meanwhile is dropped: it was not acknowledged, so it comes again.
    pub async fn close(mut self) {
        self.closing.notify_one();
        let ended = timeout(self.timing.close, async {
            while self.events.recv().await.is_some() {}
            while self.tasks.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::debug!("the relay did not close in time");
        }
    }
}

struct Writer {
    socket: Writing,
    outgoing: mpsc::Receiver<ClientFrame>,
    ping: Arc<Notify>,
    closing: Arc<Notify>,
    timing: Timing,
}

impl Writer {
    /// Until told to close, until nobody can send any more, or until writing fails.
    async fn run(mut self) -> Result<(), TransportError> {
        loop {
            let idle = Instant::now() + self.timing.ping;
            let frame = tokio::select! {
                frame = self.outgoing.recv() => frame,
                () = self.closing.notified() => return self.finish().await,
                () = self.ping.notified() => Some(ClientFrame::Ping(Ping {})),
                () = sleep_until(idle) => Some(ClientFrame::Ping(Ping {})),
            };
            match frame {
                Some(frame) => self.write(frame).await?,
                None => return self.finish().await,
            }
        }
    }

    /// Writes a frame and all that wait behind it, then flushes once.
    async fn write(&mut self, first: ClientFrame) -> Result<(), TransportError> {
        self.socket.feed(&first).await?;
        while let Ok(frame) = self.outgoing.try_recv() {
            self.socket.feed(&frame).await?;
        }
        self.socket.flush().await
    }

    async fn finish(mut self) -> Result<(), TransportError> {
        self.outgoing.close();
        while let Some(frame) = self.outgoing.recv().await {
            self.socket.feed(&frame).await?;
        }
        self.socket.close().await
    }
}

struct Reader {
    socket: Reading,
    incoming: mpsc::Sender<LinkEvent>,
    ping: Arc<Notify>,
    timing: Timing,
}

impl Reader {
    /// `written` tells when and how the writer `writing` ended.
    async fn run(mut self, mut written: oneshot::Receiver<Result<(), TransportError>>, writing: AbortHandle) {
        let incoming = self.incoming.clone();
        let patience = self.timing.close;
        // One future from start to end: starting it again would drop a frame that was read and not yet passed on.
        let mut reading = pin!(self.read());
        let reason = tokio::select! {
            reason = &mut reading => reason,
            Ok(result) = &mut written => match (timeout(patience, reading).await, result) {
                (Ok(TransportError::Closed) | Err(_), Err(failure)) => failure,
                (Ok(reason), _) => reason,
                (Err(_), Ok(())) => TransportError::Closed,
            },
        };
        // Half a socket would stay open as long as the writer holds the other half.
        writing.abort();
        // Nobody listens when the link was dropped.
        let _ = incoming.send(LinkEvent::Closed(reason)).await;
    }

    /// Passes frames on until the connection is over.
    async fn read(&mut self) -> TransportError {
        loop {
            let frame = match self.next().await {
                Ok(RelayFrame::Goodbye(goodbye)) => return TransportError::Goodbye(goodbye),
                Ok(RelayFrame::Fault(fault)) if fault.fatal => return TransportError::from_fault(fault),
                Ok(frame) => frame,
                Err(error) => return error,
            };
            if self.incoming.send(LinkEvent::Frame(frame)).await.is_err() {
                return TransportError::Closed;
            }
        }
    }

    /// The next frame that means something. Asks for a ping each time the relay was quiet, and gives up at silence.
    async fn next(&mut self) -> Result<RelayFrame, TransportError> {
        let mut heard = Instant::now();
        loop {
            match timeout(self.timing.ping, self.socket.hear()).await {
                Ok(Ok(None | Some(RelayFrame::Pong(_)))) => heard = Instant::now(),
                Ok(Ok(Some(frame))) => return Ok(frame),
                Ok(Err(error)) => return Err(error),
                Err(_) if heard.elapsed() >= self.timing.silence => return Err(TransportError::Silent),
                Err(_) => self.ping.notify_one(),
            }
        }
    }
}

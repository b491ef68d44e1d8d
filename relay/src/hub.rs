//! Which devices are connected, and how envelopes reach their sessions. Never blocks whoever pushes.

use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{GoodbyeReason, RelayFrame};
use aside_protocol::{DeviceId, Pos, codec};
use aside_relay_core::Delivery;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// One envelope on its way to one session, encoded once for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Where it stands.
    pub pos: Pos,
    /// What it counts for in the window.
    pub weight: usize,
    /// The whole frame.
    pub frame: Bytes,
}

/// What a session must hear besides pushes.
#[derive(Debug, Default)]
pub struct Signal {
    lagged: AtomicBool,
    goodbye: Mutex<Option<GoodbyeReason>>,
    wake: Notify,
}

impl Signal {
    /// Whether pushes were dropped since the last call; from now on they are queued again.
    ///
    /// Call it when the queue is empty, and read the log afterwards: so nothing falls between the two.
    pub fn take_lagged(&self) -> bool {
        self.lagged.swap(false, Ordering::SeqCst)
    }

    /// Why the session has to end, if it has to.
    pub fn goodbye(&self) -> Option<GoodbyeReason> {
        *self.goodbye.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there may be something to take.
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    fn say_goodbye(&self, reason: GoodbyeReason) {
        *self.goodbye.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        self.wake.notify_one();
    }

    fn lag(&self) {
        self.lagged.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }
}

struct Entry {
    id: u64,
    queue: mpsc::Sender<Push>,
    signal: Arc<Signal>,
}

/// A session's end of its subscription; dropping it ends it.
pub struct Subscription {
    hub: Arc<Hub>,
    device: DeviceId,
    id: u64,
    /// Pushes in order.
    pub queue: mpsc::Receiver<Push>,
    /// Everything else.
    pub signal: Arc<Signal>,
}

/// The connected devices.
pub struct Hub {
    devices: Mutex<HashMap<DeviceId, Entry>>,
    ids: AtomicU64,
    capacity: usize,
}

impl Hub {
    /// With room for so many pushes per session; past that a session reads the log again.
    pub fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { devices: Mutex::default(), ids: AtomicU64::new(0), capacity: capacity.max(1) })
    }

    /// Connects a device. An older connection of it is told that it was replaced (rule `CON-5`).
    pub fn subscribe(self: &Arc<Self>, device: DeviceId) -> Subscription {
        let (sender, queue) = mpsc::channel(self.capacity);
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let signal = Arc::new(Signal::default());
        let entry = Entry { id, queue: sender, signal: signal.clone() };
        if let Some(older) = self.devices().insert(device, entry) {
            older.signal.say_goodbye(GoodbyeReason::Replaced);
        }
        Subscription { hub: self.clone(), device, id, queue, signal }
    }

    /// Hands a stored envelope to the sessions of those it is meant for.
    pub fn push(&self, delivery: Delivery) {
        let devices = self.devices();
        let (pos, weight) = (delivery.envelope.pos, delivery.envelope.weight());
        let echo = delivery.echo.and_then(|device| devices.get(&device));
        if let Some(entry) = echo {
            let envelope = Envelope { body: None, ..delivery.envelope.clone() };
            entry.offer(Push { pos, weight: 0, frame: codec::encode(&RelayFrame::Deliver(envelope)) });
        }
        let mut entries = delivery.to.iter().filter_map(|device| devices.get(device)).peekable();
        if entries.peek().is_some() {
            let frame = codec::encode(&RelayFrame::Deliver(delivery.envelope));
            entries.for_each(|entry| entry.offer(Push { pos, weight, frame: frame.clone() }));
        }
    }

    /// Ends a device's connection.
    pub fn disconnect(&self, device: &DeviceId, reason: GoodbyeReason) {
        if let Some(entry) = self.devices().get(device) {
            entry.signal.say_goodbye(reason);
        }
    }

    /// How many devices are connected.
    pub fn connected(&self) -> usize {
        self.devices().len()
    }

    fn devices(&self) -> MutexGuard<'_, HashMap<DeviceId, Entry>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Once one push did not fit, the next ones are dropped too, until the session has read the log.
    fn offer(&self, push: Push) {
        // Woken again each time: the session may have looked before its queue was empty, and then forgot.
        if self.signal.lagged.load(Ordering::SeqCst) || self.queue.try_send(push).is_err() {
            self.signal.lag();
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut devices = self.hub.devices();
        if devices.get(&self.device).is_some_and(|entry| entry.id == self.id) {
            devices.remove(&self.device);
        }
    }
}

//! The queue in front of the writer: the backlog behind a lock, for the threads that submit and the one that writes.

use super::Reply;
use super::backlog::{Backlog, Batch, Next};
use aside_protocol::{DeviceId, Pos};
use aside_relay_core::Command;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the writer has to do next.
pub(super) enum Work {
    /// Apply these.
    Batch(Batch),
    /// Nothing came until the time given.
    Idle,
    /// The queue is empty and will stay so.
    Stopped,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    ready: Condvar,
}

#[derive(Default)]
struct Inner {
    backlog: Backlog,
    /// Whether the writer waits. While it works nobody needs to wake it, and waking costs a system call.
    waiting: bool,
}

impl Queue {
    /// As [`Backlog::submit`].
    pub(super) fn submit(&self, command: Command, reply: Reply, now: Instant) -> Result<(), Reply> {
        let mut inner = self.lock();
        let result = inner.backlog.submit(command, reply, now);
        self.wake(inner);
        result
    }

    /// As [`Backlog::ack`]. The writer is woken by the first one only; the others are in time for it.
    pub(super) fn ack(&self, device: DeviceId, pos: Pos, now: Instant) {
        let mut inner = self.lock();
        if inner.backlog.ack(device, pos, now) {
            self.wake(inner);
        }
    }

    /// Lets the writer finish what waits and then stop; nothing more is taken.
    pub(super) fn stop(&self) {
        let mut inner = self.lock();
        inner.backlog.stop();
        self.wake(inner);
    }

    fn wake(&self, mut inner: MutexGuard<'_, Inner>) {
        if std::mem::take(&mut inner.waiting) {
            drop(inner);
            self.ready.notify_one();
        }
    }

    /// Waits for work, at the longest until `until`.
    pub(super) fn next(&self, until: Instant) -> Work {
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            let wake = match inner.backlog.next(now) {
                Next::Batch(batch) => return Work::Batch(batch),
                Next::Stopped => return Work::Stopped,
                _ if until <= now => return Work::Idle,
                Next::Nothing => until,
                Next::At(due) => due.min(until),
            };
            let wait = wake.saturating_duration_since(now);
            inner.waiting = true;
            inner = self.ready.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
            inner.waiting = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;

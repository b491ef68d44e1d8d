//! Datagrams that wait for their time.

use super::{Flow, Way};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A datagram, and where it goes.
type Waiting = (Arc<Flow>, Way, Vec<u8>);

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct Late {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// By when they are due and in which order they came.
#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeMap<(Instant, u64), Waiting>,
    count: u64,
}

impl Late {
    pub(super) fn add(&self, after: Duration, flow: Arc<Flow>, way: Way, datagram: Vec<u8>) {
        let mut queue = self.queue.lock().expect("no thread of the proxy panics");
        queue.count += 1;
        let key = (Instant::now() + after, queue.count);
        queue.waiting.insert(key, (flow, way, datagram));
        self.changed.notify_one();
    }

    /// The next one that is due, if there is one within `patience`.
    pub(super) fn next(&self, patience: Duration) -> Option<Waiting> {
        let until = Instant::now() + patience;
        let mut queue = self.queue.lock().expect("no thread of the proxy panics");
        loop {
            let now = Instant::now();
            let due = queue.waiting.first_key_value().map(|((due, _), _)| *due);
            if due.is_some_and(|due| due <= now) {
                return queue.waiting.pop_first().map(|(_, datagram)| datagram);
            }
            let next = due.map_or(until, |due| due.min(until)).saturating_duration_since(now);
            if next.is_zero() {
                return None;
            }
            queue = self.changed.wait_timeout(queue, next).expect("no thread of the proxy panics").0;
        }
    }
}

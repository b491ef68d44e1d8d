//! A node of the simulated cluster, and what passes between nodes.

use super::Nanos;
use super::station::Station;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// Commands that a node has taken and not yet seen applied, in its backlog and on their way: more are refused.
pub const MOST_PENDING: f64 = 12_288.0;
/// Connections in the middle of their handshakes at a node, and those that wait in the system's queue before it.
pub const HANDSHAKES: (u64, u64) = (256, 1_024);
/// Logins simulated as one.
pub const LOGINS: u64 = 16;

/// What the devices of one node sent within a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bundle {
    /// Counts all bundles.
    pub serial: u64,
    /// Where it was sent to.
    pub node: usize,
    /// What it is about.
    pub partition: usize,
    /// When it was sent first.
    pub born: Nanos,
    /// When it was submitted at this node.
    pub taken: Nanos,
    /// In it.
    pub messages: f64,
    /// In it.
    pub receipts: f64,
    /// In it.
    pub acks: f64,
    /// How often it was refused or lost before.
    pub tries: u32,
}

impl Bundle {
    /// Commands that somebody waits for.
    pub fn asked(&self) -> f64 {
        self.messages + self.receipts
    }

    /// All of them.
    pub fn commands(&self) -> f64 {
        self.messages + self.receipts + self.acks
    }
}

/// What is appended at once.
pub type Record = Rc<Vec<Bundle>>;

/// People on their way to a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comers {
    /// How many.
    pub count: u64,
    /// Since when they are without a connection.
    pub since: Nanos,
    /// Attempts that failed.
    pub failures: u32,
    /// The node where they were.
    pub from: usize,
}

/// One node.
#[derive(Debug)]
pub struct Node {
    /// Its process runs and follows the logs.
    pub follows: bool,
    /// It takes connections.
    pub serves: bool,
    /// Counts its processes, so that what was due in an earlier one is known.
    pub life: u32,
    /// All threads but those that apply.
    pub front: Station,
    /// The threads that apply, as many of them as have a core.
    pub apply: Station,
    /// Until when each partition's thread is busy: it takes one record after the other.
    pub applying: Vec<Nanos>,
    /// Devices connected.
    pub connected: f64,
    /// What it took and has not seen applied.
    pub pending: BTreeMap<u64, Bundle>,
    /// Commands in it that somebody waits for.
    pub asked: f64,
    /// Work of the logs that it has missed.
    pub behind: Nanos,
    /// Logins under way, and those who wait for their turn.
    pub handshakes: u64,
    /// The latter.
    pub waiting: VecDeque<Comers>,
}

impl Node {
    /// With so many cores.
    pub fn new(cores: usize, partitions: usize, connected: f64) -> Self {
        Self {
            follows: true,
            serves: true,
            life: 0,
            front: Station::new(cores.saturating_sub(1)),
            apply: Station::new(partitions.min(cores)),
            applying: vec![0; partitions],
            connected,
            pending: BTreeMap::new(),
            asked: 0.0,
            behind: 0,
            handshakes: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Applies a record of a partition that comes now, and says when that is done.
    pub fn apply(&mut self, partition: usize, now: Nanos, work: Nanos) -> Nanos {
        let done = self.apply.serve(now, work).max(self.applying[partition] + work);
        self.applying[partition] = done;
        done
    }

    /// Whether it has room for what somebody waits for.
    pub fn takes(&self, bundle: &Bundle) -> bool {
        self.asked + bundle.asked() <= MOST_PENDING
    }

    /// Notes what it took.
    pub fn keep(&mut self, bundle: Bundle) {
        if self.pending.insert(bundle.serial, bundle).is_none() {
            self.asked += bundle.asked();
        }
    }

    /// Forgets it; `false` if it was forgotten before.
    pub fn forget(&mut self, serial: u64) -> bool {
        let found = self.pending.remove(&serial);
        self.asked -= found.map_or(0.0, |bundle| bundle.asked());
        found.is_some()
    }
}

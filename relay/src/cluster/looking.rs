//! Looking after a node: is each partition sound and not far behind its log, does the node hear NATS. Reads the clock.

use super::forwarding::give_up;
use super::nats::LEASE;
use super::node::Node;
use super::part::Part;
use super::status;
use super::watching::{applied, serve};
use crate::log::unavailable;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// How often a node looks whether all is well.
const LOOK: Duration = Duration::from_millis(500);
/// How long a node that does not hear NATS goes on serving what it has.
const DEAF: Duration = Duration::from_secs(5);
/// How long nothing comes of a log that has more before it is followed anew, the first time and at most.
const STUCK: (Duration, Duration) = (Duration::from_millis(1_500), Duration::from_secs(15));
/// So many records behind, a node does not serve: its readers would see the past.
pub(super) const BEHIND: u64 = 2_000;

/// What was found when a partition was last looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    /// When NATS last said how its log is.
    heard: Instant,
    /// Whether the partition was sound then, and not far behind.
    well: bool,
}

impl Looked {
    /// One that is as it should be.
    pub(super) fn well() -> Self {
        Self { heard: Instant::now(), well: true }
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Says of this node how far it is, for ever.
pub(super) async fn tell(node: Arc<Node>, parts: Vec<Arc<Part>>) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        // What takes longer would not be believed when it comes.
        let began = Instant::now();
        let _ = timeout(LEASE, status::tell(&node, applied(&parts))).await;
        node.answered_after(began.elapsed());
    }
}

/// Stops serving when the node hears nothing or is far behind; gives up what waits too long. A partition whose log has no
/// leader for a while waits alone: nobody can append to it, and what this node has of it is as good as before.
pub(super) async fn judge(node: Arc<Node>, parts: Vec<Arc<Part>>) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        let looked: Vec<Looked> = parts.iter().map(|part| part.looked()).collect();
        // One that is drained ends its connections by itself, and not all at once.
        if !*node.draining.borrow() {
            let hears = looked.iter().any(|looked| looked.heard.elapsed() <= DEAF);
            serve(&node, hears && looked.iter().all(|looked| looked.well));
        }
        parts.iter().for_each(|part| give_up(part, &unavailable()));
    }
}

/// Looks at a partition, for ever.
pub(super) async fn look(part: Arc<Part>) {
    let (mut ticks, mut pace) = (ticks(), Pace::new(0));
    loop {
        ticks.tick().await;
        if let Some(well) = look_once(&part, &mut pace).await {
            part.set_looked(Looked { heard: Instant::now(), well });
        }
    }
}

/// Since when a partition that is behind its log has come no further.
struct Pace {
    position: u64,
    since: Instant,
    patience: Duration,
}

impl Pace {
    fn new(position: u64) -> Self {
        Self { position, since: Instant::now(), patience: STUCK.0 }
    }

    /// Whether the log is to be followed anew: it has more, and nothing comes. Beginning anew takes its time on a slow way, so
    /// each time without a success it gets more of it.
    fn is_stuck(&mut self, position: u64, last: u64) -> bool {
        if last <= position || position != self.position {
            *self = Self::new(position);
        }
        let stuck = self.since.elapsed() >= self.patience;
        if stuck {
            (self.since, self.patience) = (Instant::now(), (self.patience * 2).min(STUCK.1));
        }
        stuck
    }
}

/// Whether a partition is sound and not far behind its log; none if NATS does not say.
async fn look_once(part: &Part, pace: &mut Pace) -> Option<bool> {
    let (_, last) = part.log.bounds().await.ok()?;
    let (position, sound, orphan) = {
        let reached = part.reached.borrow();
        (reached.position, reached.sound, reached.owner.is_none())
    };
    if orphan {
        // Where nobody says anything it might be long until a record tells.
        part.log.call_owner().await;
    }
    if pace.is_stuck(position, last) {
        part.follow_anew.notify_waiters();
    }
    Some(sound && last.saturating_sub(position) < BEHIND)
}

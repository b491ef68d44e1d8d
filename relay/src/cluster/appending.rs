//! A partition's task that may append: takes the lease when it is to, reigns while it lasts (`office`), and gives it on.

use super::learning::Learning;
use super::lease::Lease;
use super::nats::NatsError;
use super::office::{End, Office, append};
use super::part::Part;
use super::reign::Reign;
use aside_relay_core::record::Submission;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often a node that has no lease tries to take it.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// How long a lease is nobody's before a node takes it whose it is not to be.
const VACANT: Duration = Duration::from_millis(1_500);
/// Takes the lease whenever nobody else has it, and appends while it lasts. Ends when the node is drained.
pub(super) async fn rule(part: Arc<Part>, mut batches: mpsc::Receiver<Submission>) {
    let mut draining = part.node.draining.subscribe();
    let mut vacancy = Vacancy::default();
    loop {
        if *draining.borrow_and_update() {
            return;
        }
        // Nobody should have sent these here: they are sent again to whoever appends.
        while batches.try_recv().is_ok() {}
        match vacancy.take(&part).await {
            Ok(Some(lease)) => govern(&part, lease, &mut batches).await,
            Ok(None) => {}
            Err(why) => tracing::debug!(%why, "the lease cannot be asked for"),
        }
        tokio::select! {
            () = sleep(TRY_EVERY) => {}
            () = part.vacated.notified() => {}
            _ = draining.changed() => {}
        }
    }
}

/// Since when a lease is nobody's.
#[derive(Default)]
struct Vacancy(Option<Instant>);

impl Vacancy {
    /// Takes the lease if it is to be this node's, or if whose it is to be does not take it. A node that cannot store takes none.
    async fn take(&mut self, part: &Part) -> Result<Option<Lease>, NatsError> {
        let (node, id) = (&part.node, part.id);
        if !part.reached.borrow().sound {
            return Ok(None);
        }
        let own = node.places().of(id, Instant::now()) == Some(node.name.as_str());
        let found = Lease::look(&node.nats, id).await?;
        let may = match &found {
            Some(holder) => holder.node == node.name,
            None => own || self.0.get_or_insert_with(Instant::now).elapsed() >= VACANT,
        };
        if found.is_some() || may {
            self.0 = None;
        }
        if may { Lease::take(&node.nats, id, &node.name, found.as_ref()).await } else { Ok(None) }
    }
}

/// One reign, from the first record to the last; then the lease goes to whom it is due.
async fn govern(part: &Arc<Part>, lease: Lease, batches: &mut mpsc::Receiver<Submission>) {
    let taken = part.reached.borrow().owner.as_ref().is_some_and(|(owner, _)| *owner != part.node.name);
    if taken {
        // Whoever it was handed over to took it, and gave it up again.
        *part.handed() = None;
    }
    let begun = match (Reign::new(&part.node.name), part.log.asked().await) {
        (Some(reign), Ok(asked)) => begin(part, &reign).await.map(|last| (reign, asked, last)),
        _ => None,
    };
    let Some((reign, asked, last)) = begun else { return lease.release().await };
    let (node, partition) = (&part.node.name, part.id.0);
    tracing::info!(node, partition, position = last, "this node appends now");
    let mut renewals = interval(Lease::EVERY);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (draining, learning) = (part.node.draining.subscribe(), Learning::new(part, last));
    let (part, retained) = (part.clone(), None);
    let mut office = Office { part, lease, reign, learning, last, asked, renewals, retained, draining };
    let end = office.hold(batches).await;
    match end {
        End::Drained => office.bequeath().await,
        End::Moved(to) => {
            *office.part.handed() = Some(Instant::now());
            office.lease.hand_to(&to).await;
        }
        End::Lost => tracing::warn!(partition, "another node appends; this one stops"),
    }
}

/// Appends an empty record, by which everybody learns who appends from now on. It comes after everything that an owner
/// before still had on its way.
async fn begin(part: &Part, reign: &Reign) -> Option<u64> {
    for _ in 0..20 {
        match part.log.bounds().await {
            Ok((_, last)) => match append(part, last, &reign.record(Vec::new())).await {
                Some(position) => return Some(position),
                None => continue,
            },
            Err(why) => tracing::debug!(%why, "the log's end is not known"),
        }
        sleep(Duration::from_millis(100)).await;
    }
    None
}

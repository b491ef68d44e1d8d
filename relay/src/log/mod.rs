//! How commands become durable and are applied, in one order. `local`: the SQLite commit itself is the log.
//!
//! `backlog` and `applier` are its whole logic and know neither thread nor clock; `local` drives them with both.
//! A replicated log (`cluster`) is another implementation of [`Log`]; sessions and admin tools see only this trait.

pub mod applier;
pub mod backlog;
pub mod local;
mod queue;

pub use applier::{Applier, Counters};
pub(crate) use applier::{answer_all, busy, unavailable};
pub use backlog::Backlog;
pub use local::LocalLog;

use crate::mailbox::Wakes;
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, PartitionId, Pos};
use aside_relay_core::Command;

/// Called once with the answer, after the command is durable, on the log's thread: it must not block.
pub type Reply = Box<dyn FnOnce(Answer, &mut Wakes) + Send>;

/// Called once, with whether it is so; it must not block.
pub type Then = Box<dyn FnOnce(bool) + Send>;

/// Where commands go.
pub trait Log: Send + Sync {
    /// Queues a command. When the queue is full the answer is `Busy`, at once.
    fn submit(&self, command: Command, reply: Reply);

    /// Notes that a device stored everything of a partition up to `pos`. Coalesced; may be lost.
    fn ack(&self, device: DeviceId, partition: PartitionId, pos: Pos);

    /// Notes that a device has connected here. Other nodes end older connections of it.
    fn attached(&self, device: DeviceId);

    /// Calls back once what is durable by now can be read here; with `false` if that takes too long.
    fn when_current(&self, then: Then);

    /// What was counted so far.
    fn counters(&self) -> Counters;

    /// Bounds the database from the next batch on ([`aside_relay_core::Core::limit_pages`]).
    fn limit_pages(&self, pages: Option<u32>);

    /// The relay is about to stop: another node may take over already.
    fn leave(&self) {}

    /// Applies what waits, checkpoints, and ends its threads. Blocks until that is done.
    fn stop(&self);
}

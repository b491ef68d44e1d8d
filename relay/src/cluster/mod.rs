//! A relay of several nodes. One log in NATS JetStream holds all commands; every node follows it and applies it to a
//! database of its own, so every node answers reads and pushes to its own connections from what it has applied itself.
//!
//! One node at a time appends: the owner, by a lease that is for liveness only. Safety is the log's: each append names the
//! last position it knows, so that a stale owner's is refused. Commands of other nodes reach the owner over NATS; each node
//! answers its own once it has applied them. NATS is the consensus, the replication and the lease; none of that is here.

mod appending;
mod asking;
mod draining;
mod forwarding;
mod fresh;
mod lease;
mod log;
mod nats;
mod nodes;
mod pending;
mod pieces;
mod reign;
mod replica;
mod settings;
mod snapshots;
mod tools;
mod watching;

pub use log::{ClusterLog, JoinError};
pub use nats::{Nats, NatsError};
pub use pieces::{PIECE, Pieces};
pub use settings::{Facts, Settings};
pub use snapshots::fetch as fetch_snapshot;
pub use tools::{
    Beginning, Checked, NodeStatus, SnapshotStatus, Status, ToolError, Verified, create, drain, hand_over, init,
    lost_blobs, snapshot, status, verify,
};

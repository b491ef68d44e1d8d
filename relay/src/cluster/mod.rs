//! A relay of several nodes. Its state is spread over partitions, each with a log in NATS JetStream that holds its commands;
//! every node follows all logs and applies each to a database of its own, so every node answers reads and pushes to its own
//! connections from what it has applied itself.
//!
//! One node at a time appends to a log: the partition's owner, by a lease that is for liveness only. Safety is the log's:
//! each append names the last position it knows, so that a stale owner's is refused. Commands of other nodes reach the owner
//! over NATS; each node answers its own once it has applied them. NATS is the consensus, the replication and the lease; none
//! of that is here.
//!
//! Partition 0 is the directory: accounts and devices. The others learn of them from it, in its order (`learning`).

mod appending;
mod asking;
mod draining;
mod forwarding;
mod fresh;
mod learning;
mod lease;
mod log;
mod nats;
mod node;
mod nodes;
mod office;
mod part;
mod pending;
mod pieces;
mod places;
mod reign;
mod replica;
mod settings;
mod snapshots;
mod status;
mod tools;
mod watching;

pub use log::{ClusterLog, JoinError};
pub use nats::{Nats, NatsError};
pub use pieces::{PIECE, Pieces};
pub use settings::{Facts, Settings};
pub use snapshots::fetch as fetch_snapshot;
pub use status::{NodeStatus, PartitionStatus, SnapshotStatus, Standby, Status, status};
pub use tools::{
    Beginning, Checked, ToolError, Verified, VerifiedPartition, create, drain, hand_over, init, lost_blobs, snapshot,
    verify,
};

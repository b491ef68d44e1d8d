//! What things cost, as measured with `bench` on two cores of a shared machine, and what was not measured and is
//! estimated. The only place with such numbers; each says where it is from. `docs/scale.md` has the same with the commands.
//!
//! The runs of three nodes had all nodes, all NATS servers and the load generator on the same two cores, so their figures
//! are rather too high than too low.

use super::Nanos;

/// Nanoseconds of a microsecond.
const US: f64 = 1_000.0;

/// Relay memory of an idle connection, in KiB. Measured: `idle --connections 2000 --transport quic`, the dearer one.
pub const CONNECTION_KIB: f64 = 36.6;
/// What the kernel keeps for a connection beside that, in KiB. Estimated: not part of a process's memory.
pub const KERNEL_KIB: f64 = 12.0;
/// Processor time of a connection in each second in which it does nothing. Measured: `idle … quic`.
pub const QUIET: f64 = 4.5 * US;
/// Of each ping; one in 30 seconds. Measured: `idle … quic`.
pub const PING: f64 = 23.5 * US;
/// Seconds between pings of a quiet connection: the protocol's `PING_MS`.
pub const PING_EVERY_S: f64 = 30.0;
/// Of a login, handshakes and reading an empty queue included. Measured: `idle … quic`.
pub const LOGIN: f64 = 560.0 * US;
/// Of a message that a device fetches when it comes back. Measured: `catchup --chats 200 --messages 20000`, 70 ms.
pub const CATCH_UP: f64 = 3.5 * US;

/// Of a message at the node where its sender is: request, forwarding, answer and echo. Measured: `relay --cluster 3 --at 2
/// --pairs 100 --window 1`; what is left of 88.0 once three appliers, the push and the appending are taken off.
pub const FRONT_MESSAGE: f64 = 19.8 * US;
/// The same of a receipt. Estimated: as a message.
pub const FRONT_RECEIPT: f64 = FRONT_MESSAGE;
/// The same of an acknowledgement. Measured: the run above with `--ack-each` costs 11.2 more, of which three appliers have
/// 1.9 each.
pub const FRONT_ACK: f64 = 5.5 * US;
/// Of an envelope pushed to a connection. Measured: `group --members 501 --messages 300`.
pub const PUSH: f64 = 11.9 * US;

/// Of applying a record, whatever it holds, at each node. Measured: a message in a record of its own costs a node less
/// than 165, one in a record of 56 costs 18.2; the run with two connections, and the one with 200.
pub const APPLY_RECORD: f64 = 100.0 * US;
/// Of applying a message. Measured: the node that has no connections, `relay --cluster 3 --at 2 --pairs 100 --window 1`.
pub const APPLY_MESSAGE: f64 = 16.4 * US;
/// Of applying a receipt. Estimated: as a message.
pub const APPLY_RECEIPT: f64 = APPLY_MESSAGE;
/// Of applying an acknowledgement. Measured: the same node, with `--ack-each`.
pub const APPLY_ACK: f64 = 1.9 * US;
/// Of deleting a message once it was fetched, at each node. Estimated: half of what storing it took.
pub const RETAIN_MESSAGE: f64 = 8.2 * US;
/// Of a command at the node that appends. Measured: the busiest node against the one that has as many connections.
pub const APPEND_COMMAND: f64 = 1.7 * US;

/// How long a record takes to be appended, with three synced copies on one machine. Measured: `relay --cluster 3 --pairs 1
/// --window 1`, 710 to 792 records a second, one after the other.
pub const APPEND_TAKES: f64 = 1_250.0 * US;
/// The same for each command in it: the leader's half of the time below.
pub const APPEND_TAKES_COMMAND: f64 = NATS_COMMAND / 2.0;
/// Processor time of all three NATS servers for a record. Measured: 42.3 for a message with 56 in a record, 10.1 with 552.
pub const NATS_RECORD: f64 = 2_020.0 * US;
/// The same for each command in it.
pub const NATS_COMMAND: f64 = 6.45 * US;
/// The same in each second for each node and partition, whatever happens: two questions where the log ends, two whose the
/// lease is. Estimated: three nodes of a debug build that do nothing take 3.5 to 5.8 milliseconds a second for each of 16
/// partitions; the lease's renewal is a record.
pub const NATS_LOOK: f64 = 1_000.0 * US;

/// There and back between two machines of a place. Assumed.
pub const NETWORK: f64 = 500.0 * US;

/// Bytes of the log for a message of 300 bytes. Measured: `relay --cluster 3 --pairs 100`.
pub const LOG_MESSAGE_BYTES: f64 = 502.0;
/// The same of an acknowledgement. Measured: with `--ack-each`, 601.
pub const LOG_ACK_BYTES: f64 = 99.0;
/// The same of a receipt. Estimated from its fields: a sealed pair of watermarks and a signature instead of the body.
pub const LOG_RECEIPT_BYTES: f64 = 350.0;
/// Bytes of the log for a record beside its commands. Measured: 659 for a message in a record of its own.
pub const LOG_RECORD_BYTES: f64 = 157.0;
/// Bytes on the network for an envelope pushed. Estimated: body, envelope, frame, packet.
pub const PUSH_BYTES: f64 = 550.0;
/// Bytes a node stores for a registered device, nearly all of it key packages. Measured: ten devices registered at an empty relay.
pub const DEVICE_BYTES: f64 = 471_000.0;
/// The same in each partition beside the directory, which has learned of it: `relay-1.db` of a cluster with 60 devices.
pub const LEARNED_BYTES: f64 = 480.0;
/// Bytes a node stores for a message. Measured: `group --members 501`.
pub const STORED_MESSAGE_BYTES: f64 = 382.0;

/// Seconds until others append to the partitions of a node that has died: least and most. `docs/cluster.md`; seen: 3.2 to 3.5.
pub const TAKEOVER_S: (f64, f64) = (3.0, 4.0);
/// The same when it gives its leases to them: they hear of it, or try twice a second.
pub const HANDOVER_S: (f64, f64) = (0.1, 0.6);
/// Seconds until NATS has another leader: least and most. Ten is what the design allows for.
pub const ELECTION_S: (f64, f64) = (2.0, 10.0);
/// Commands of a record: the relay's limit.
pub const RECORD_COMMANDS: f64 = 2_000.0;

/// Processor time of all NATS servers in each second for leases and questions: each owner renews its lease each second.
pub fn nats_idle(partitions: f64, nodes: f64) -> f64 {
    partitions * (NATS_RECORD + nodes * NATS_LOOK)
}

/// As virtual time.
pub fn nanos(cost: f64) -> Nanos {
    cost.max(0.0) as Nanos
}

//! What the tests of sessions share.

use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::{AccountId, Body, ChatId, DeviceId, Millis, PartitionId, Pos};

/// One of a partition, of one byte.
pub(super) fn envelope(from: DeviceId, partition: PartitionId, pos: u64) -> Envelope {
    Envelope {
        partition,
        pos: Pos(pos),
        kind: EnvelopeKind::Message,
        chat: ChatId([0; 32]),
        from,
        account: AccountId([0; 32]),
        time: Millis(0),
        seq: None,
        n: None,
        base: None,
        incarnation: None,
        hash: None,
        body: Some(Body::from(vec![1])),
        blob: None,
        routing: None,
    }
}

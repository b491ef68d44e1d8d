#![allow(clippy::unwrap_used)]

use super::*;
use aside_protocol::{DeviceId, Pos};

/// A partition with much to read does not keep the others from their turn.
#[test]
fn partitions_take_turns() {
    let wanted = |partition| Wanted { partition: PartitionId(partition), most: 1, bytes: 1 };
    let mut pages = Pages::default();
    for partition in 0..3 {
        pages.start(PartitionId(partition), CatchUp::new(DeviceId([1; 16]), Pos(0)));
        pages.want(wanted(partition));
    }
    let mut turns = Vec::new();
    for _ in 0..6 {
        let (lent, catch_up) = pages.lend().unwrap();
        assert!(pages.lend().is_none(), "one at a time");
        turns.push(lent.partition.0);
        pages.give_back(lent.partition, catch_up);
        pages.want(lent);
    }
    assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
}

//! What a login needs to know of a device, out of the partitions' states.

use crate::readers::{Snapshot, States};
use aside_protocol::frame::Position;
use aside_protocol::{DeviceId, PartitionId};
use aside_relay_core::read::DeviceInfo;
use aside_relay_core::{CoreError, View};

/// A device that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the directory says of it.
    pub info: DeviceInfo,
    /// Where each partition stands with it, in the order of their numbers.
    pub positions: Vec<Position>,
}

impl Found {
    /// Looks a device up.
    pub fn read<S: Snapshot>(states: &States<S>, device: &DeviceId) -> Result<Option<Self>, CoreError> {
        let Some(info) = states.directory().snapshot(|view| view.device(device))? else {
            return Ok(None);
        };
        let positions = states.all().map(|(partition, state)| match partition {
            PartitionId(0) => Ok(Position { partition, acked: info.acked, head: info.head }),
            _ => state.snapshot(|view| position(view, partition, device)),
        });
        let positions = positions.collect::<Result<_, _>>()?;
        Ok(Some(Self { info, positions }))
    }
}

/// A device that the partition has not heard of yet begins at its head: nothing earlier is meant for it.
fn position(view: &View<'_>, partition: PartitionId, device: &DeviceId) -> rusqlite::Result<Position> {
    Ok(match view.device(device)? {
        Some(known) => Position { partition, acked: known.acked, head: known.head },
        None => {
            let head = view.head()?;
            Position { partition, acked: head, head }
        }
    })
}

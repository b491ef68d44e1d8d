//! What a login needs to know of a device, out of the partitions' states.

use crate::readers::Views;
use aside_protocol::frame::Position;
use aside_protocol::{DeviceId, PartitionId, Pos};
use aside_relay_core::read::DeviceInfo;
use aside_relay_core::{CoreError, Layout, View};

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
    pub fn read(views: &impl Views, device: &DeviceId) -> Result<Option<Self>, CoreError> {
        let Some(info) = views.directory(|view| view.device(device))? else {
            return Ok(None);
        };
        let positions = views.layout().all().map(|partition| match partition {
            Layout::DIRECTORY => Ok(Position { partition, acked: info.acked, head: info.head }),
            _ => views.read(partition, |view| position(view, partition, device)),
        });
        let positions = positions.collect::<Result<_, _>>()?;
        Ok(Some(Self { info, positions }))
    }
}

/// A device that the partition has not heard of yet has acknowledged nothing there, as once it has.
fn position(view: &View<'_>, partition: PartitionId, device: &DeviceId) -> rusqlite::Result<Position> {
    Ok(match view.device(device)? {
        Some(known) => Position { partition, acked: known.acked, head: known.head },
        None => Position { partition, acked: Pos(0), head: view.head()? },
    })
}

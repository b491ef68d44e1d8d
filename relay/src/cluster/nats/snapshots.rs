//! Copies of a partition's state, each under the position it goes up to: one that comes late takes the place of no newer one.

use super::{NatsError, Stream, failed};
use async_nats::jetstream::object_store::{Object, ObjectInfo, ObjectStore};
use data_encoding::BASE64URL;
use futures_util::TryStreamExt;
use std::time::SystemTime;
use tokio::io::AsyncRead;

/// Names begin so; the partition and the position follow.
const NAME: &str = "state";

/// One that is whole.
pub(in crate::cluster) struct Snapshot {
    pub(in crate::cluster) position: u64,
    pub(in crate::cluster) bytes: u64,
    pub(in crate::cluster) taken: SystemTime,
}

impl Stream {
    async fn snapshots(&self) -> Result<ObjectStore, NatsError> {
        self.nats.context.get_object_store(self.nats.bucket("snapshots")).await.map_err(failed)
    }

    fn name_of_all(&self) -> String {
        format!("{NAME}-{}-", self.partition.0)
    }

    fn name_of(&self, position: u64) -> String {
        format!("{}{position}", self.name_of_all())
    }

    /// Keeps a copy that goes up to a position.
    pub(in crate::cluster) async fn put_snapshot(
        &self,
        position: u64,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<(), NatsError> {
        let name = self.name_of(position);
        self.snapshots().await?.put(name.as_str(), from).await.map(drop).map_err(failed)
    }

    /// All there are of this partition.
    async fn all_snapshots(&self) -> Result<Vec<Snapshot>, NatsError> {
        let all: Vec<ObjectInfo> =
            self.snapshots().await?.list().await.map_err(failed)?.try_collect().await.map_err(failed)?;
        let prefix = self.name_of_all();
        Ok(all.iter().filter_map(|info| read(info, &prefix)).collect())
    }

    /// The one that goes farthest, if there is one. It is asked for often, so that no consumer is made for it, as a list of
    /// all would: those stay for a while, and a stream takes a bounded number of them.
    pub(in crate::cluster) async fn newest_snapshot(&self) -> Result<Option<Snapshot>, NatsError> {
        let (bucket, prefix) = (self.nats.bucket("snapshots"), self.name_of_all());
        let stream = self.nats.context.get_stream_no_info(format!("OBJ_{bucket}")).await.map_err(failed)?;
        let names = format!("$O.{bucket}.M.");
        let subjects = stream.info_with_subjects(format!("{names}>")).await.map_err(failed)?;
        let subjects: Vec<(String, usize)> = subjects.try_collect().await.map_err(failed)?;
        let position = |subject: &str| -> Option<u64> {
            let name = BASE64URL.decode(subject.strip_prefix(&names)?.as_bytes()).ok()?;
            std::str::from_utf8(&name).ok()?.strip_prefix(&prefix)?.parse().ok()
        };
        let mut positions: Vec<u64> = subjects.iter().filter_map(|(subject, _)| position(subject)).collect();
        positions.sort_unstable();
        let store = self.snapshots().await?;
        for position in positions.into_iter().rev() {
            let info = store.info(self.name_of(position)).await.map_err(failed)?;
            if !info.deleted {
                return Ok(read(&info, &prefix));
            }
        }
        Ok(None)
    }

    /// Its bytes.
    pub(in crate::cluster) async fn snapshot(&self) -> Result<Object, NatsError> {
        let newest = self.newest_snapshot().await?.ok_or_else(|| failed("there is no snapshot"))?;
        self.snapshots().await?.get(self.name_of(newest.position)).await.map_err(failed)
    }

    /// Deletes those that go less far.
    pub(in crate::cluster) async fn drop_snapshots_before(&self, position: u64) -> Result<(), NatsError> {
        let store = self.snapshots().await?;
        for older in self.all_snapshots().await?.into_iter().filter(|snapshot| snapshot.position < position) {
            store.delete(self.name_of(older.position)).await.map_err(failed)?;
        }
        Ok(())
    }
}

fn read(info: &ObjectInfo, prefix: &str) -> Option<Snapshot> {
    let position = info.name.strip_prefix(prefix)?.parse().ok()?;
    Some(Snapshot { position, bytes: info.size as u64, taken: info.modified?.into() })
}

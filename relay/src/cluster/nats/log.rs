//! A partition's replicated log: appending behind a known position, reading, following.

use super::{Nats, NatsError, failed};
use aside_protocol::PartitionId;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{self, RawMessageErrorKind, StorageType};
use bytes::Bytes;
use std::time::Duration;

/// What came of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cluster) enum Appended {
    /// It stands at this position.
    At(u64),
    /// Something else stands there: another node appends.
    Stale,
}

/// One partition's log.
#[derive(Clone)]
pub(in crate::cluster) struct Stream {
    pub(super) nats: Nats,
    pub(super) partition: PartitionId,
}

impl Nats {
    /// A partition's log.
    pub(in crate::cluster) fn log(&self, partition: PartitionId) -> Stream {
        Stream { nats: self.clone(), partition }
    }

    /// The first position of its log that is still there.
    pub async fn begins_at(&self, partition: PartitionId) -> Result<u64, NatsError> {
        Ok(self.log(partition).bounds().await?.0)
    }
}

impl Stream {
    /// Whose it is.
    pub(in crate::cluster) fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Makes it, unless it is there.
    pub(super) async fn create(&self, replicas: usize) -> Result<(), NatsError> {
        let log = stream::Config {
            name: self.stream_name(),
            subjects: vec![self.log_subject()],
            storage: StorageType::File,
            num_replicas: replicas,
            discard: stream::DiscardPolicy::New,
            deny_delete: true,
            // Twice the same bytes are told apart by their place, not by an id that is forgotten after a while.
            duplicate_window: Duration::from_millis(100),
            ..stream::Config::default()
        };
        self.nats.context.create_stream(log).await.map(drop).map_err(failed)
    }

    fn stream_name(&self) -> String {
        format!("{}_{}", self.nats.stream_name(), self.partition.0)
    }

    fn log_subject(&self) -> String {
        format!("aside.{}.log.{}", self.nats.name, self.partition.0)
    }

    /// Forgets what the log has up to a position.
    pub(in crate::cluster) async fn cut_off(&self, position: u64) -> Result<(), NatsError> {
        let stream = self.nats.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        stream.purge().sequence(position + 1).await.map(drop).map_err(failed)
    }

    /// The log's first position that is still there, and its last one.
    pub(in crate::cluster) async fn bounds(&self) -> Result<(u64, u64), NatsError> {
        let info = self.info().await?;
        Ok((info.state.first_sequence, info.state.last_sequence))
    }

    /// What the log's leader says of it. A server that is parted from the others tells what it has, and that nobody leads.
    pub(in crate::cluster) async fn info(&self) -> Result<stream::Info, NatsError> {
        let stream = self.nats.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        let info = stream.get_info().await.map_err(failed)?;
        match info.cluster.as_ref().is_some_and(|cluster| cluster.leader.is_none()) {
            true => Err(failed("the log has no leader")),
            false => Ok(info),
        }
    }

    /// Appends a record right after a position, or finds out that something else stands there. Comes back once that is
    /// known, however long NATS does not answer: an append whose answer was lost may have happened.
    pub(in crate::cluster) async fn append(&self, after: u64, record: &Bytes) -> Appended {
        loop {
            match self.publish(after, record.clone()).await {
                Ok(position) => return Appended::At(position),
                Err(why) => tracing::debug!(%why, after, "an append is in doubt"),
            }
            match self.read(after + 1).await {
                Ok(Some(found)) if found == *record => return Appended::At(after + 1),
                Ok(Some(_)) => return Appended::Stale,
                // Nothing stands there: the same again, which counts once.
                Ok(None) => match self.bounds().await {
                    Ok((_, last)) if last > after => return Appended::Stale,
                    _ => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Err(why) => {
                    tracing::debug!(%why, "NATS cannot say what became of an append");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    async fn publish(&self, after: u64, record: Bytes) -> Result<u64, PublishErrorKind> {
        let message = PublishMessage::build().payload(record).expected_last_sequence(after);
        let sent = self.nats.context.send_publish(self.log_subject(), message).await.map_err(|error| error.kind())?;
        let ack = sent.await.map_err(|error| error.kind())?;
        Ok(ack.sequence)
    }

    /// What stands at a position, as the log's leader has it.
    async fn read(&self, position: u64) -> Result<Option<Bytes>, NatsError> {
        let stream = self.nats.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        match stream.get_raw_message(position).await {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The log from a position on, in its order.
    pub(in crate::cluster) async fn follow(&self, from: u64) -> Result<pull::Ordered, NatsError> {
        let stream = self.nats.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        let config = pull::OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
            ..pull::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(failed)?;
        consumer.messages().await.map_err(failed)
    }
}

//! Blobs in NATS: a stream of their pieces, one subject each, so that nodes share them without sharing a folder.

use super::nats::{Nats, NatsError, failed};
use aside_protocol::Hash;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::{self, LastRawMessageErrorKind, StorageType};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Bytes of every piece but a blob's last one: much less than a NATS server is to take.
pub const PIECE: u64 = 1 << 20;

/// Where they are.
pub struct Pieces {
    context: Context,
    stream: String,
    subject: String,
}

impl Nats {
    /// Those of this cluster.
    pub fn pieces(&self) -> Arc<Pieces> {
        let (context, stream) = (self.context.clone(), format!("{}_blobs", self.stream_name()));
        Arc::new(Pieces { context, stream, subject: format!("aside.{}.blob", self.name) })
    }
}

impl Pieces {
    pub(super) async fn create(&self, replicas: usize) -> Result<(), NatsError> {
        let config = stream::Config {
            name: self.stream.clone(),
            subjects: vec![format!("{}.*.*", self.subject)],
            storage: StorageType::File,
            num_replicas: replicas,
            max_messages_per_subject: 1,
            duplicate_window: Duration::from_millis(100),
            ..stream::Config::default()
        };
        self.context.create_stream(config).await.map(drop).map_err(failed)
    }

    fn subject(&self, id: &Hash, number: u64) -> String {
        format!("{}.{}.{number}", self.subject, id.to_hex())
    }

    /// Keeps a piece, in place of the same one from before.
    pub async fn put(&self, id: &Hash, number: u64, piece: Bytes) -> Result<(), NatsError> {
        let sent = self.context.publish(self.subject(id, number), piece).await.map_err(failed)?;
        sent.await.map(drop).map_err(failed)
    }

    /// A piece and since when it is there; none if it is not.
    pub async fn get(&self, id: &Hash, number: u64) -> Result<Option<(Bytes, SystemTime)>, NatsError> {
        let stream = self.context.get_stream_no_info(&self.stream).await.map_err(failed)?;
        match stream.get_last_raw_message_by_subject(&self.subject(id, number)).await {
            Ok(message) => Ok(Some((message.payload, message.time.into()))),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Deletes all pieces of a blob.
    pub async fn delete(&self, id: &Hash) -> Result<(), NatsError> {
        let stream = self.context.get_stream_no_info(&self.stream).await.map_err(failed)?;
        stream.purge().filter(format!("{}.{}.*", self.subject, id.to_hex())).await.map(drop).map_err(failed)
    }
}

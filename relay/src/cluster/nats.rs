//! What is used of NATS: a stream for each partition's log and one for blobs, key-value buckets, a few subjects. Says for each
//! failure whose it is.

mod log;
mod snapshots;
mod subjects;

pub(super) use log::{Appended, Stream};

use super::settings::{Facts, Settings, is_name};
use aside_relay_core::Layout;
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, KeyValueError};
use async_nats::jetstream::kv::{Store, Watch};
use async_nats::jetstream::object_store;
use async_nats::jetstream::stream::StorageType;
use async_nats::jetstream::{Context, ContextBuilder, ErrorCode, kv};
use async_nats::{Client, ConnectOptions};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long NATS may take to answer before it counts as not answering.
const PATIENCE: Duration = Duration::from_secs(3);
/// An append that is not answered for so long is in doubt: the log is asked what became of it.
const DOUBT: Duration = Duration::from_millis(1_500);
/// How long what nodes say of themselves is believed, and an owner's lease lasts without being renewed.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// The longest record: a batch and the longest command with it.
pub(super) const MOST_RECORD: usize = 3 << 20;

/// Why the cluster cannot be used; shown to people.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// A name is none.
    #[error("{0:?} cannot be a name here; use up to 32 letters, digits, hyphens and underscores")]
    BadName(String),
    /// No server.
    #[error(
        "no NATS server at {0} answers: {1}; are they running, and are address, credentials and certificates right?"
    )]
    Unreachable(String, String),
    /// A file that the settings name.
    #[error(
        "the file {0} cannot be used to reach NATS: {1}; correct its path (--nats-credentials, --nats-ca, or relay.toml) or \
         its permissions"
    )]
    BadFile(PathBuf, std::io::Error),
    /// Too small messages.
    #[error("the NATS servers take messages of {0} bytes at most; set max_payload to 8MB in their configuration")]
    SmallPayload(usize),
    /// Nothing was set up.
    #[error("there is no cluster {0} at these NATS servers; make it with: aside-relay cluster init")]
    NoCluster(String),
    /// It was set up already.
    #[error("there is a cluster {0} at these NATS servers already; choose another name with --name")]
    Exists(String),
    /// Something was refused or not answered.
    #[error("NATS did not do what was asked ({0}); has it a majority of its servers, and JetStream enabled?")]
    Failed(String),
    /// The description is newer or damaged.
    #[error("the cluster was set up by another version of aside-relay; update this node")]
    BadFacts,
}

pub(super) fn failed(error: impl std::fmt::Display) -> NatsError {
    NatsError::Failed(error.to_string())
}

/// Addresses without what proves who asks.
fn shown(servers: &str) -> String {
    let bare = |server: &str| match (server.split_once("://"), server.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => server.to_owned(),
    };
    servers.split(',').map(bare).collect::<Vec<_>>().join(",")
}

/// Whether NATS says that there is no such bucket. One that does not answer, or has no majority, says nothing of the kind.
fn is_missing(error: &KeyValueError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<GetStreamError>());
    let kind = cause.map(GetStreamError::kind);
    matches!(kind, Some(GetStreamErrorKind::JetStream(why)) if why.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The connection and the names of one cluster.
#[derive(Clone)]
pub struct Nats {
    client: Client,
    pub(super) context: Context,
    pub(super) name: String,
    /// The bucket of what is believed for a while, once it was found.
    live: Arc<OnceCell<Store>>,
}

impl Nats {
    /// Connects.
    pub async fn connect(settings: &Settings) -> Result<Self, NatsError> {
        for name in [&settings.cluster, &settings.node] {
            if !is_name(name) {
                return Err(NatsError::BadName(name.clone()));
            }
        }
        let unreachable = |why: String| NatsError::Unreachable(shown(&settings.servers), why);
        let mut options = ConnectOptions::new()
            .name(format!("aside-relay {}", settings.node))
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .ping_interval(Duration::from_secs(2))
            .subscription_capacity(4096);
        if let Some(file) = &settings.credentials {
            options = options.credentials_file(file).await.map_err(|why| NatsError::BadFile(file.clone(), why))?;
        }
        if let Some(file) = &settings.authority {
            tokio::fs::read(file).await.map_err(|why| NatsError::BadFile(file.clone(), why))?;
            options = options.add_root_certificates(file.clone()).require_tls(true);
        }
        let servers: Vec<String> = settings.servers.split(',').map(|server| server.trim().to_owned()).collect();
        let client = options.connect(servers).await.map_err(|why| unreachable(why.to_string()))?;
        let most = client.server_info().max_payload;
        if most < MOST_RECORD + (64 << 10) {
            return Err(NatsError::SmallPayload(most));
        }
        let context = ContextBuilder::new().timeout(PATIENCE).ack_timeout(DOUBT).build(client.clone());
        Ok(Self { client, context, name: settings.cluster.clone(), live: Arc::default() })
    }

    /// What the names of all streams begin with.
    pub(super) fn stream_name(&self) -> String {
        format!("ASIDE_{}", self.name)
    }

    /// Refuses if there is such a cluster.
    pub async fn absent(&self) -> Result<(), NatsError> {
        match self.facts().await {
            Ok(_) => Err(NatsError::Exists(self.name.clone())),
            Err(NatsError::NoCluster(_)) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// Makes the logs and the buckets, unless they are there.
    pub(super) async fn create(&self, layout: Layout, replicas: usize) -> Result<(), NatsError> {
        for partition in layout.all() {
            self.log(partition).create(replicas).await?;
        }
        let bucket = |bucket: String, max_age| kv::Config {
            bucket,
            history: 1,
            max_age,
            num_replicas: replicas,
            storage: StorageType::File,
            ..kv::Config::default()
        };
        let (live, kept) = (self.bucket("live"), self.bucket("facts"));
        self.context.create_key_value(bucket(live, LEASE)).await.map_err(failed)?;
        self.context.create_key_value(bucket(kept, Duration::ZERO)).await.map_err(failed)?;
        let snapshots = object_store::Config {
            bucket: self.bucket("snapshots"),
            num_replicas: replicas,
            ..object_store::Config::default()
        };
        self.context.create_object_store(snapshots).await.map_err(failed)?;
        self.pieces().create(replicas).await
    }

    /// Writes down what all nodes are to agree on.
    pub(super) async fn set_facts(&self, facts: &Facts) -> Result<(), NatsError> {
        let bytes = serde_json::to_vec(facts).map_err(failed)?;
        self.kept().await?.create("cluster", bytes.into()).await.map_err(failed).map(drop)
    }

    fn bucket(&self, which: &str) -> String {
        format!("ASIDE_{}_{which}", self.name)
    }

    /// What is believed for as long as [`LEASE`] says.
    pub(super) async fn live(&self) -> Result<Store, NatsError> {
        let find = || async { self.context.get_key_value(self.bucket("live")).await.map_err(failed) };
        self.live.get_or_try_init(find).await.cloned()
    }

    /// What nodes say of themselves: what was said last, then all that follows.
    pub(super) async fn said(&self) -> Result<Watch, NatsError> {
        self.live().await?.watch_with_history(format!("{}*", super::status::NODE)).await.map_err(failed)
    }

    /// Whose leases are: what was said last, then all that follows. That one has ended by itself is not said.
    pub(super) async fn leased(&self) -> Result<Watch, NatsError> {
        self.live().await?.watch_with_history(format!("{}*", super::lease::OWNER)).await.map_err(failed)
    }

    /// Where the host says that partitions are to be: what was said last, then all that follows.
    pub(super) async fn placed(&self) -> Result<Watch, NatsError> {
        self.kept().await?.watch_with_history(format!("{}*", super::status::PLACE)).await.map_err(failed)
    }

    /// What stays.
    pub(super) async fn kept(&self) -> Result<Store, NatsError> {
        self.context.get_key_value(self.bucket("facts")).await.map_err(failed)
    }

    /// What all nodes agree on.
    pub async fn facts(&self) -> Result<Facts, NatsError> {
        let missing = || NatsError::NoCluster(self.name.clone());
        let kept = self.context.get_key_value(self.bucket("facts")).await;
        let kept = kept.map_err(|error| if is_missing(&error) { missing() } else { failed(error) })?;
        let bytes = kept.get("cluster").await.map_err(failed)?.ok_or_else(missing)?;
        let facts: Facts = serde_json::from_slice(&bytes).map_err(|_| NatsError::BadFacts)?;
        if facts.version == Facts::VERSION { Ok(facts) } else { Err(NatsError::BadFacts) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("nats://me:p@ss@one:4222,tls://two,me:secret@three"), "nats://one:4222,tls://two,three");
    }
}

//! What is used of NATS: one stream, two key-value buckets, a few subjects. Says for each failure whose it is.

use super::asking::{Asked, DRAIN};
use super::settings::{Facts, Settings, is_name};
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, KeyValueError, PublishErrorKind};
use async_nats::jetstream::kv::{Store, Watch};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::object_store::{self, Object, ObjectStore};
use async_nats::jetstream::stream::{self, RawMessageErrorKind, StorageType};
use async_nats::jetstream::{Context, ContextBuilder, ErrorCode, kv};
use async_nats::{Client, ConnectOptions, Request, Subscriber};
use bytes::Bytes;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncRead;

/// How long NATS may take to answer before it counts as not answering.
const PATIENCE: Duration = Duration::from_secs(3);
/// The owner may take so long for a snapshot.
const ASKED: Duration = Duration::from_secs(300);
/// An append that is not answered for so long is in doubt: the log is asked what became of it.
const DOUBT: Duration = Duration::from_millis(1_500);
/// How long what nodes say of themselves is believed, and an owner's lease lasts without being renewed.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// What the copy is called.
const SNAPSHOT: &str = "state";
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

/// Whether NATS says that there is no such bucket. One that does not answer, or has no majority, says nothing of the kind.
fn is_missing(error: &KeyValueError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<GetStreamError>());
    let kind = cause.map(GetStreamError::kind);
    matches!(kind, Some(GetStreamErrorKind::JetStream(why)) if why.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// What came of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// It stands at this position.
    At(u64),
    /// Something else stands there: another node appends.
    Stale,
}

/// The connection and the names of one cluster.
#[derive(Clone)]
pub struct Nats {
    client: Client,
    pub(super) context: Context,
    pub(super) name: String,
}

impl Nats {
    /// Connects.
    pub async fn connect(settings: &Settings) -> Result<Self, NatsError> {
        for name in [&settings.cluster, &settings.node] {
            if !is_name(name) {
                return Err(NatsError::BadName(name.clone()));
            }
        }
        let unreachable = |why: String| NatsError::Unreachable(settings.servers.clone(), why);
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
        Ok(Self { client, context, name: settings.cluster.clone() })
    }

    pub(super) fn stream_name(&self) -> String {
        format!("ASIDE_{}", self.name)
    }

    fn log_subject(&self) -> String {
        format!("aside.{}.log", self.name)
    }

    /// Where commands for a node that appends arrive.
    fn submit_subject(&self, node: &str) -> String {
        format!("aside.{}.submit.{node}", self.name)
    }

    /// Where tools ask the owner for something; a node has a subject of its own beneath.
    fn control_subject(&self) -> String {
        format!("aside.{}.control", self.name)
    }

    /// Where nodes say which devices have connected to them.
    fn attached_subject(&self) -> String {
        format!("aside.{}.attached", self.name)
    }

    /// Refuses if there is such a cluster.
    pub async fn absent(&self) -> Result<(), NatsError> {
        match self.facts().await {
            Ok(_) => Err(NatsError::Exists(self.name.clone())),
            Err(NatsError::NoCluster(_)) => Ok(()),
            Err(why) => Err(why),
        }
    }

    /// Makes the log and the buckets, unless they are there.
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
        self.context.create_stream(log).await.map_err(failed)?;
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
        self.context.get_key_value(self.bucket("live")).await.map_err(failed)
    }

    /// What nodes say of themselves: what was said last, then all that follows.
    pub(super) async fn said(&self) -> Result<Watch, NatsError> {
        self.live().await?.watch_with_history(format!("{}*", super::tools::NODE)).await.map_err(failed)
    }

    /// What stays.
    pub(super) async fn kept(&self) -> Result<Store, NatsError> {
        self.context.get_key_value(self.bucket("facts")).await.map_err(failed)
    }

    async fn snapshots(&self) -> Result<ObjectStore, NatsError> {
        self.context.get_object_store(self.bucket("snapshots")).await.map_err(failed)
    }

    /// Keeps a copy of a database in place of the one before.
    pub(super) async fn put_snapshot(&self, from: &mut (impl AsyncRead + Unpin)) -> Result<(), NatsError> {
        self.snapshots().await?.put(SNAPSHOT, from).await.map(drop).map_err(failed)
    }

    /// That copy.
    pub(super) async fn snapshot(&self) -> Result<Object, NatsError> {
        self.snapshots().await?.get(SNAPSHOT).await.map_err(failed)
    }

    /// Forgets what the log has up to a position.
    pub(super) async fn cut_off(&self, position: u64) -> Result<(), NatsError> {
        let stream = self.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        stream.purge().sequence(position + 1).await.map(drop).map_err(failed)
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

    /// The log's first position that is still there, and its last one.
    pub async fn bounds(&self) -> Result<(u64, u64), NatsError> {
        let info = self.info().await?;
        Ok((info.state.first_sequence, info.state.last_sequence))
    }

    /// What the log's leader says of it. A server that is parted from the others tells what it has, and that nobody leads.
    pub(super) async fn info(&self) -> Result<stream::Info, NatsError> {
        let stream = self.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        let info = stream.get_info().await.map_err(failed)?;
        match info.cluster.as_ref().is_some_and(|cluster| cluster.leader.is_none()) {
            true => Err(failed("the log has no leader")),
            false => Ok(info),
        }
    }

    /// Appends a record right after a position, or finds out that something else stands there. Comes back once that is
    /// known, however long NATS does not answer: an append whose answer was lost may have happened.
    pub(super) async fn append(&self, after: u64, record: &Bytes) -> Appended {
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
        let sent = self.context.send_publish(self.log_subject(), message).await.map_err(|error| error.kind())?;
        let ack = sent.await.map_err(|error| error.kind())?;
        Ok(ack.sequence)
    }

    /// What stands at a position, as the log's leader has it.
    async fn read(&self, position: u64) -> Result<Option<Bytes>, NatsError> {
        let stream = self.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        match stream.get_raw_message(position).await {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The log from a position on, in its order.
    pub(super) async fn follow(&self, from: u64) -> Result<pull::Ordered, NatsError> {
        let stream = self.context.get_stream_no_info(self.stream_name()).await.map_err(failed)?;
        let config = pull::OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
            ..pull::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(failed)?;
        consumer.messages().await.map_err(failed)
    }

    /// Sends commands to the node that appends. They may be lost.
    pub(super) async fn submit(&self, node: &str, entries: Bytes) -> Result<(), NatsError> {
        self.client.publish(self.submit_subject(node), entries).await.map_err(failed)
    }

    /// Commands sent to this node.
    pub(super) async fn submitted(&self, node: &str) -> Result<Subscriber, NatsError> {
        self.client.subscribe(self.submit_subject(node)).await.map_err(failed)
    }

    /// Asks the owner for something, which may take it a while. None: nobody appends.
    pub(super) async fn ask(&self, what: &Asked) -> Option<String> {
        let patience = match what {
            Asked::Snapshot => ASKED,
            // Between two owners it may reach nobody, and is asked again.
            Asked::Who => LEASE / 6,
            Asked::Verify | Asked::Move(_) => PATIENCE,
        };
        self.ask_at(self.control_subject(), what.to_text().into(), patience).await
    }

    /// Has a node send its people to others. None: it does not answer.
    pub(super) async fn ask_to_drain(&self, node: &str) -> Option<String> {
        self.ask_at(format!("{}.{node}", self.control_subject()), Bytes::from_static(DRAIN), PATIENCE).await
    }

    async fn ask_at(&self, subject: String, what: Bytes, patience: Duration) -> Option<String> {
        let request = Request::new().payload(what).timeout(Some(patience));
        let answer = self.client.send_request(subject, request).await.ok()?;
        Some(String::from_utf8_lossy(&answer.payload).into_owned())
    }

    /// Has whoever appends make itself known. It may be lost.
    pub(super) async fn call_owner(&self) {
        // It is called again.
        let _ = self.client.publish(self.control_subject(), Bytes::new()).await;
    }

    /// What tools ask of the owner, and nodes, which wait for no answer.
    pub(super) async fn asked(&self) -> Result<Subscriber, NatsError> {
        self.client.subscribe(self.control_subject()).await.map_err(failed)
    }

    /// What tools ask of a node.
    pub(super) async fn asked_of(&self, node: &str) -> Result<Subscriber, NatsError> {
        self.client.subscribe(format!("{}.{node}", self.control_subject())).await.map_err(failed)
    }

    /// Answers a tool.
    pub(super) async fn answer(&self, to: async_nats::Subject, text: String) {
        // Whoever asked may have gone.
        let _ = self.client.publish(to, text.into()).await;
    }

    /// Tells the other nodes that a device has connected here.
    pub(super) async fn tell_attached(&self, bytes: Bytes) {
        // A device that is connected twice for a while gets everything on both.
        let _ = self.client.publish(self.attached_subject(), bytes).await;
    }

    /// Devices that have connected to any node.
    pub(super) async fn attached(&self) -> Result<Subscriber, NatsError> {
        self.client.subscribe(self.attached_subject()).await.map_err(failed)
    }
}

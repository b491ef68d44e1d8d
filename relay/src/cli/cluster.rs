//! `aside-relay cluster`: a relay of several nodes is set up, shown, and its replicas compared.

use super::Failure;
use super::config::Place;
use super::reach::Reach;
use crate::blobs;
use crate::cluster::{Beginning, Facts, Nats, create, drain, hand_over, init, lost_blobs, snapshot, status, verify};
use crate::data::DataDir;
use crate::identity::Identity;
use crate::server::StartError;
use aside_protocol::{Hash, LogId};
use aside_relay_core::{Command, Core, CoreError, Location};
use clap::{Args, Subcommand};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Why a folder is nothing to make an empty cluster with.
const HELD: &str = "holds a relay's data; make a cluster of it with aside-relay cluster import, or name another folder";
/// Why a folder is nothing to import.
const NOT_HELD: &str =
    "holds no relay's data; name the data folder of a relay that ran, or use aside-relay cluster init";

#[derive(Debug, Args)]
pub(super) struct Cluster {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    /// Make a cluster that is empty.
    Init(Init),
    /// Make a cluster of a relay that ran alone and is stopped: it begins with all that one holds. Or of a node, if NATS has
    /// lost its cluster.
    Import(Init),
    /// Show which nodes there are, who appends, and how far each is.
    Status(Ask),
    /// Keep a copy of the state in NATS, and forget what the log has before it. Happens by itself when the log is long.
    Snapshot(Ask),
    /// Compare the state of all nodes at one position of the log.
    Verify(Ask),
    /// Have another node append.
    Move(Name),
    /// Have a node send its people to others and append no more, before it is stopped. Started again, it is as before.
    Drain(Name),
}

#[derive(Debug, Args)]
struct Init {
    #[command(flatten)]
    place: Place,
    /// How many NATS servers hold the log.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
    #[command(flatten)]
    reach: Reach,
    /// Where the relay that is imported had its files, if not in its data folder; they are copied into NATS.
    #[arg(long, value_name = "DIR")]
    blobs: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Ask {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    reach: Reach,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Name {
    /// The node's name.
    node: String,
    #[command(flatten)]
    ask: Ask,
}

impl Cluster {
    pub(super) fn run(self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.command {
                ClusterCommand::Init(init) => init.run(false).await,
                ClusterCommand::Import(init) => init.run(true).await,
                ClusterCommand::Status(ask) => ask.status().await,
                ClusterCommand::Snapshot(ask) => ask.snapshot().await,
                ClusterCommand::Verify(ask) => ask.verify().await,
                ClusterCommand::Move(name) => name.hand_over().await,
                ClusterCommand::Drain(name) => name.drain().await,
            }
        })
    }
}

impl Init {
    async fn run(self, import: bool) -> Result<(), Failure> {
        let folder = self.place.folder()?;
        let keys = self.place.keys()?;
        let settings = self.reach.tool(keys.cluster)?;
        let data = DataDir::lock(&folder).map_err(StartError::from)?;
        let identity = Identity::open(&data.identity()).map_err(StartError::from)?;
        let nats = Nats::connect(&settings).await?;
        nats.absent().await?;
        let held = Held::read(&data)?;
        match held.log.is_some() {
            true if !import => return Err(Failure::error(format!("{} {HELD}", folder.display()))),
            false if import => return Err(Failure::error(format!("{} {NOT_HELD}", folder.display()))),
            _ => {}
        }
        let mut drawn = [0; 16];
        getrandom::fill(&mut drawn).map_err(Failure::error)?;
        let (log, command) = held.goes_on_as(LogId(drawn));
        create(&nats, usize::from(self.replicas)).await?;
        let database = data.database();
        let (mut blobs, mut lost) = (0, Vec::new());
        // A folder that the file names is that of all nodes: what is there stays there.
        if self.blobs.is_some() || keys.blobs.is_none() {
            blobs = blobs::import(&self.blobs.unwrap_or_else(|| data.blobs()), nats.pieces()).await?;
            lost = lost_blobs(&nats, &database).await?;
        }
        let missing = lost.len();
        let facts = Facts::new(&identity.pin(), &held.hash, &log);
        init(&nats, &facts, Beginning { database: &database, lost, command }).await?;
        if held.was_node {
            set_aside(&database)?;
        }
        let mut out = std::io::stdout().lock();
        let begun = if import { "with what the relay held" } else { "empty" };
        let key = folder.join("identity.key");
        writeln!(out, "The cluster begins {begun}. Copy {} to an empty folder on each other machine.", key.display())?;
        if blobs > 0 {
            writeln!(out, "{blobs} files of its people are in NATS now; serve finds them there, without --blobs.")?;
        }
        if missing > 0 {
            writeln!(out, "{missing} files of its people were nowhere; whoever has them may upload them again.")?;
        }
        Ok(out.flush()?)
    }
}

/// The database of an earlier cluster is kept beside: this node begins with the snapshot, as the others do.
fn set_aside(database: &Path) -> std::io::Result<()> {
    std::fs::rename(database, database.with_extension("db.before"))?;
    for companion in ["db-wal", "db-shm"] {
        match std::fs::remove_file(database.with_extension(companion)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What a data folder has.
struct Held {
    /// The log id, if a relay ran on it.
    log: Option<LogId>,
    /// Whether it was a cluster's, whose log may have had more.
    was_node: bool,
    /// Hash of the state.
    hash: Hash,
}

impl Held {
    fn read(data: &DataDir) -> Result<Self, StartError> {
        data.prepare_database()?;
        let core = Core::open(&Location::File(data.database()))?;
        let log = core.view().log().map_err(CoreError::from)?;
        let was_node = core.view().applied().map_err(CoreError::from)? > 0;
        Ok(Self { log, was_node, hash: core.state_hash()? })
    }

    /// The log id from now on, and the command that says so, unless all stays as it is. What a node had may be older than
    /// what its people know, so they are told by another id (rule `GAP-4`).
    fn goes_on_as(&self, drawn: LogId) -> (LogId, Option<Command>) {
        match self.log {
            None => (drawn, Some(Command::Init { log: drawn })),
            Some(_) if self.was_node => (drawn, Some(Command::BeginLog { log: drawn })),
            Some(log) => (log, None),
        }
    }
}

impl Name {
    async fn hand_over(self) -> Result<(), Failure> {
        hand_over(&self.ask.reach().await?, &self.node).await?;
        self.say("appends now.")
    }

    async fn drain(self) -> Result<(), Failure> {
        drain(&self.ask.reach().await?, &self.node).await?;
        self.say("has no connections any more and appends nothing; it can be stopped.")
    }

    fn say(self, what: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        match self.ask.json {
            true => writeln!(out, "{}", serde_json::json!({ "node": self.node }))?,
            false => writeln!(out, "Node {} {what}", self.node)?,
        }
        Ok(out.flush()?)
    }
}

impl Ask {
    async fn reach(&self) -> Result<Nats, Failure> {
        Ok(Nats::connect(&self.reach.tool(self.place.keys()?.cluster)?).await?)
    }

    async fn status(self) -> Result<(), Failure> {
        let found = status(&self.reach().await?).await?;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&found).map_err(Failure::error)?)?;
            return Ok(out.flush()?);
        }
        let owner = found.owner.as_deref().unwrap_or("no node");
        writeln!(out, "log       {} to {}, {} MiB", found.first, found.last, found.bytes >> 20)?;
        writeln!(out, "held by   {} of {} NATS servers", found.current, found.replicas)?;
        if let Some(snapshot) = &found.snapshot {
            let ago = crate::clock::wall().0.saturating_sub(snapshot.taken.0) / 1_000;
            writeln!(out, "snapshot  {} MiB, taken {ago} seconds ago", snapshot.bytes >> 20)?;
        }
        writeln!(out, "appends   {owner}")?;
        for node in &found.nodes {
            let behind = found.last.saturating_sub(node.applied);
            let addresses = node.addresses.join(" ");
            let drained = if node.draining { ", drained" } else { "" };
            writeln!(out, "{:<9} {} connected, {behind} behind{drained}, {addresses}", node.node, node.connected)?;
        }
        Ok(out.flush()?)
    }

    async fn snapshot(self) -> Result<(), Failure> {
        let position = snapshot(&self.reach().await?).await?;
        let mut out = std::io::stdout().lock();
        match self.json {
            true => writeln!(out, "{}", serde_json::json!({ "position": position }))?,
            false => {
                writeln!(out, "The log is kept from {} on; a copy of the state has what was before.", position + 1)?
            }
        }
        Ok(out.flush()?)
    }

    async fn verify(self) -> Result<(), Failure> {
        let found = verify(&self.reach().await?).await?;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&found).map_err(Failure::error)?)?;
        } else {
            writeln!(out, "position  {}", found.position)?;
            for node in &found.nodes {
                writeln!(out, "{:<9} {}", node.node, node.hash)?;
            }
        }
        out.flush()?;
        if found.equal {
            Ok(())
        } else {
            Err(Failure::error("the nodes' states differ; keep all data and report this"))
        }
    }
}

//! Making a cluster: an empty one, or one of what a relay or a node holds.

use super::super::Failure;
use super::super::config::Place;
use super::super::reach::Reach;
use crate::blobs;
use crate::cluster::{Beginning, Facts, Nats, create, init, lost_blobs};
use crate::data::{DataDir, before};
use crate::identity::Identity;
use crate::server::StartError;
use aside_protocol::{Hash, LogId};
use aside_relay_core::{Command, Core, CoreError, Layout, Location};
use clap::Args;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Partitions, if nobody says how many.
const PARTITIONS: u16 = 16;
/// Why a folder is nothing to make an empty cluster with.
const HELD: &str = "holds a relay's data; make a cluster of it with aside-relay cluster import, or name another folder";
/// Why a folder is nothing to import.
const NOT_HELD: &str =
    "holds no relay's data; name the data folder of a relay that ran, or use aside-relay cluster init";

#[derive(Debug, Args)]
pub(super) struct Making {
    #[command(flatten)]
    place: Place,
    /// Over how many partitions the state is spread, for as long as the cluster lives [default: 16].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    partitions: Option<u16>,
    /// How many NATS servers hold the logs.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
    #[command(flatten)]
    reach: Reach,
    /// Where the relay that is imported had its files, if not in its data folder; they are copied into NATS.
    #[arg(long, value_name = "DIR")]
    blobs: Option<PathBuf>,
}

impl Making {
    /// The same, of that data folder.
    pub(super) fn of(self, folder: PathBuf) -> Self {
        Self { place: self.place.of(folder), ..self }
    }

    pub(super) async fn run(self, import: bool) -> Result<(), Failure> {
        let folder = self.place.folder()?;
        if import && !folder.join("relay.db").exists() {
            return Err(Failure::error(format!("{} {NOT_HELD}", folder.display())));
        }
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
        let layout = held.layout(self.partitions)?;
        let (log, command) = held.goes_on_as(drawn()?);
        create(&nats, layout, usize::from(self.replicas)).await?;
        // A folder that the file names is that of all nodes: what is there stays there.
        let copied = self.blobs.is_some() || keys.blobs.is_none();
        let files = if copied { copy_blobs(&nats, &data, self.blobs).await? } else { Files::default() };
        let (databases, alone) = (held.databases(&data, layout), !held.was_node);
        let beginning = Beginning { databases, alone, lost: files.lost, command };
        init(&nats, &Facts::new(&identity.pin(), layout, &log), &beginning).await?;
        if import {
            beginning.databases.iter().try_for_each(|database| set_aside(database))?;
        }
        say(&folder, import, layout, files.copied, beginning.lost.len())
    }
}

fn drawn() -> Result<LogId, Failure> {
    let mut drawn = [0; 16];
    getrandom::fill(&mut drawn).map_err(Failure::error)?;
    Ok(LogId(drawn))
}

/// What became of the relay's files.
#[derive(Default)]
struct Files {
    copied: usize,
    /// Those that were nowhere.
    lost: Vec<Hash>,
}

/// Copies what a relay held of its people's files into NATS.
async fn copy_blobs(nats: &Nats, data: &DataDir, folder: Option<PathBuf>) -> Result<Files, Failure> {
    let copied = blobs::import(&folder.unwrap_or_else(|| data.blobs()), nats.pieces()).await?;
    Ok(Files { copied, lost: lost_blobs(nats, &data.database()).await? })
}

fn say(folder: &Path, import: bool, layout: Layout, blobs: usize, missing: usize) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let begun = if import { "with what the relay held" } else { "empty" };
    let (key, partitions) = (folder.join("identity.key"), layout.partitions());
    let spread = if partitions == 1 { "in one partition".to_owned() } else { format!("in {partitions} partitions") };
    writeln!(
        out,
        "The cluster begins {begun}, {spread}. Copy {} to an empty folder on each other machine.",
        key.display()
    )?;
    if blobs > 0 {
        writeln!(out, "{blobs} files of its people are in NATS now; serve finds them there, without --blobs.")?;
    }
    if missing > 0 {
        writeln!(out, "{missing} files of its people were nowhere; whoever has them may upload them again.")?;
    }
    Ok(out.flush()?)
}

/// The database from before is kept beside: this node begins with the snapshots, as the others do.
fn set_aside(database: &Path) -> std::io::Result<()> {
    for companion in ["db-wal", "db-shm"] {
        if let Err(error) = std::fs::remove_file(database.with_extension(companion))
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
    }
    match std::fs::rename(database, before(database)) {
        // Several partitions begin with the same one.
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a data folder has.
struct Held {
    /// The log id, if a relay ran on it.
    log: Option<LogId>,
    /// Whether it was a cluster's, whose logs may have had more.
    was_node: bool,
    /// Over how many partitions it is spread.
    layout: Layout,
}

impl Held {
    fn read(data: &DataDir) -> Result<Self, StartError> {
        data.prepare_database(Layout::DIRECTORY)?;
        let core = Core::open(&Location::File(data.database()))?;
        let log = core.view().log().map_err(CoreError::from)?;
        let was_node = core.view().applied().map_err(CoreError::from)? > 0;
        core.checkpoint()?;
        Ok(Self { log, was_node, layout: core.layout() })
    }

    /// Over how many partitions the cluster's state is to be spread. What a node held stays as it is.
    fn layout(&self, asked: Option<u16>) -> Result<Layout, Failure> {
        let held = self.layout.partitions();
        if self.was_node && asked.is_some_and(|asked| asked != held) {
            return Err(Failure::usage(format!(
                "this node's state is spread over {held} partitions, which stays so; leave --partitions out"
            )));
        }
        let partitions = if self.was_node { held } else { asked.unwrap_or(PARTITIONS) };
        Layout::new(partitions).ok_or_else(|| Failure::usage("a cluster has 1 to 256 partitions"))
    }

    /// The database that each partition begins with.
    fn databases(&self, data: &DataDir, layout: Layout) -> Vec<PathBuf> {
        let of = |partition| if self.was_node { data.database_of(partition) } else { data.database() };
        layout.all().map(of).collect()
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

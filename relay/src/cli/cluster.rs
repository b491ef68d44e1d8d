//! `aside-relay cluster`: a relay of several nodes is set up, shown, and its replicas compared.

mod making;

use super::Failure;
use super::config::Place;
use super::reach::Reach;
use crate::cluster::{Nats, PartitionStatus, drain, hand_over, snapshot, status, verify};
use clap::{Args, Subcommand};
use making::Making;
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Cluster {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    /// Make a cluster that is empty.
    Init(Making),
    /// Make a cluster of a relay that ran alone and is stopped: it begins with all that one holds. Or of a node, if NATS has
    /// lost its cluster.
    Import(Import),
    /// Show which nodes there are, which of them appends to each partition, and how far each is.
    Status(Ask),
    /// Keep a copy of the state in NATS, and forget what the logs have before it. Happens by itself when a log is long.
    Snapshot(Ask),
    /// Compare the state of all nodes, of each partition at one position of its log.
    Verify(Ask),
    /// Have another node append to a partition, from now on; without a node, the one the cluster chooses.
    Move(Move),
    /// Have a node send its people to others and append no more, before it is stopped. Started again, it is as before.
    Drain(Name),
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
struct Import {
    /// The data folder of the relay; it wins over --data.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    making: Making,
}

#[derive(Debug, Args)]
struct Move {
    /// The partition's number.
    partition: u16,
    /// The node's name.
    node: Option<String>,
    #[command(flatten)]
    ask: Ask,
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
                ClusterCommand::Import(import) => import.run().await,
                ClusterCommand::Status(ask) => ask.status().await,
                ClusterCommand::Snapshot(ask) => ask.snapshot().await,
                ClusterCommand::Verify(ask) => ask.verify().await,
                ClusterCommand::Move(asked) => asked.run().await,
                ClusterCommand::Drain(name) => name.drain().await,
            }
        })
    }
}

impl Import {
    async fn run(self) -> Result<(), Failure> {
        let making = match self.dir {
            Some(dir) => self.making.of(dir),
            None => self.making,
        };
        making.run(true).await
    }
}

impl Move {
    async fn run(self) -> Result<(), Failure> {
        hand_over(&self.ask.reach().await?, self.partition, self.node.as_deref()).await?;
        let (partition, node) = (self.partition, self.node);
        let mut out = std::io::stdout().lock();
        match node {
            _ if self.ask.json => writeln!(out, "{}", serde_json::json!({ "partition": partition, "node": node }))?,
            Some(node) => writeln!(out, "Node {node} appends to partition {partition} now.")?,
            None => writeln!(out, "The cluster chooses the node of partition {partition} again.")?,
        }
        Ok(out.flush()?)
    }
}

impl Name {
    async fn drain(self) -> Result<(), Failure> {
        drain(&self.ask.reach().await?, &self.node).await?;
        let mut out = std::io::stdout().lock();
        match self.ask.json {
            true => writeln!(out, "{}", serde_json::json!({ "node": self.node }))?,
            false => {
                writeln!(
                    out,
                    "Node {} has no connections any more and appends nothing; it can be stopped.",
                    self.node
                )?;
            }
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
        for node in &found.nodes {
            let owned =
                found.partitions.iter().filter(|partition| partition.owner.as_ref() == Some(&node.node)).count();
            let addresses = node.addresses.join(" ");
            let drained = if node.draining { ", drained" } else { "" };
            writeln!(out, "{:<11} {} connected, appends to {owned}{drained}, {addresses}", node.node, node.connected)?;
        }
        found.partitions.iter().try_for_each(|partition| show(&mut out, partition))?;
        Ok(out.flush()?)
    }

    async fn snapshot(self) -> Result<(), Failure> {
        let positions = snapshot(&self.reach().await?).await?;
        let mut out = std::io::stdout().lock();
        match self.json {
            true => writeln!(out, "{}", serde_json::json!({ "positions": positions }))?,
            false => {
                let from: Vec<String> = positions.iter().map(|position| (position + 1).to_string()).collect();
                let from = from.join(", ");
                writeln!(
                    out,
                    "The logs are kept from these positions on: {from}. Copies of the state have what was before."
                )?;
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
            for partition in &found.partitions {
                let equal = if partition.equal { "equal" } else { "NOT EQUAL" };
                writeln!(out, "partition {:<3} at {}, {equal}", partition.partition, partition.position)?;
                for node in &partition.nodes {
                    writeln!(out, "  {:<11} {}", node.node, node.hash)?;
                }
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

/// One line: who appends, how far behind the others are, and what is kept.
fn show(out: &mut impl Write, partition: &PartitionStatus) -> std::io::Result<()> {
    let owner = partition.owner.as_deref().unwrap_or("no node");
    let standbys: Vec<String> =
        partition.standbys.iter().map(|standby| format!("{} {} behind", standby.node, standby.behind)).collect();
    let named = if partition.named.is_some() { " (named)" } else { "" };
    let PartitionStatus { first, last, bytes, current, replicas, .. } = partition;
    write!(out, "partition {:<3} {owner}{named}; {}; ", partition.partition, standbys.join(", "))?;
    write!(out, "{first} to {last}, {} MiB, at {current} of {replicas} NATS servers", bytes >> 20)?;
    if let Some(snapshot) = &partition.snapshot {
        let ago = crate::clock::wall().0.saturating_sub(snapshot.taken.0) / 1_000;
        write!(out, "; snapshot {} KiB, {ago} seconds ago", snapshot.bytes >> 10)?;
    }
    writeln!(out)
}

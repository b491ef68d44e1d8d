//! The command line. Data goes to stdout, everything else to stderr; no secret is an argument.

mod cluster;
mod config;
mod duration;
mod failure;
mod invite;
mod reach;
mod replay;
mod serve;
mod size;

pub use failure::Failure;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// A relay for end-to-end encrypted chats: it passes on what it cannot read.
#[derive(Debug, Parser)]
#[command(name = "aside-relay", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay; prints a fresh invite link once it listens.
    Serve(serve::Serve),
    /// Set up and look after a relay of several nodes.
    Cluster(cluster::Cluster),
    /// Print a new invite link, alone on its line.
    Invite(invite::Invite),
    /// Apply a command record twice, in batches of different sizes, and compare the states.
    #[command(hide = true)]
    Replay(replay::Replay),
}

/// Where the relay keeps everything.
#[derive(Debug, Args)]
struct Data {
    /// Data folder [default: aside-relay in the user's data folder].
    #[arg(long = "data", value_name = "DIR", env = "ASIDE_RELAY_DATA")]
    folder: Option<PathBuf>,
}

impl Data {
    fn folder(&self) -> Result<PathBuf, Failure> {
        use etcetera::BaseStrategy;
        match &self.folder {
            Some(folder) => Ok(folder.clone()),
            None => etcetera::choose_base_strategy()
                .map(|base| base.data_dir().join("aside-relay"))
                .map_err(|_| Failure::error("there is no home folder; name a data folder with --data")),
        }
    }
}

/// Parses, runs, and turns the outcome into an exit code: 0 done, 1 error, 2 usage, 3 network.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logs();
    let done = match arguments.command {
        Command::Serve(serve) => serve.run(),
        Command::Cluster(cluster) => cluster.run(),
        Command::Invite(invite) => invite.run(),
        Command::Replay(replay) => replay.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn start_logs() {
    let filter = EnvFilter::try_from_env("ASIDE_RELAY_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).finish();
    // Somebody who embeds this may have set their own already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

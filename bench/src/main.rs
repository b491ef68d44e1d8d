//! The load generator: real relay processes, real protocol clients, figures as JSON.
//!
//! One file a subcommand; what they share: `processes` (started programs and what the system says of them), `person` and
//! `member` (a protocol client), `wire` (its connection), `fleet` (many members under load), `figures` (what is printed).
//! Nothing here is shipped. Times are measured, never asserted.

mod bound;
mod catchup;
mod client;
mod cluster;
mod create;
mod error;
mod figures;
mod fleet;
mod group;
mod idle;
mod member;
mod mls;
mod offline;
mod person;
mod processes;
mod reader;
mod relay;
mod slow;
mod tui;
mod wire;
mod writer;

use clap::{Parser, Subcommand};
use error::BenchError;
use figures::Figures;
use std::process::ExitCode;

/// Measures aside and aside-relay on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object instead of lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Pairs that write to each other through a relay as fast as their window lets them.
    Relay(relay::Args),
    /// One who writes to a group whose members are all online.
    Group(group::Args),
    /// A big group from end to end: made, and joined by a member.
    Create(create::Args),
    /// Groups and channels on the client: founding, joining, writing, reading, changing.
    Mls(mls::Args),
    /// Messages to devices that are away.
    Offline(offline::Args),
    /// What an idle connection costs the relay in memory.
    Idle(idle::Args),
    /// A device with many chats and messages behind.
    Catchup(catchup::Args),
    /// A device with a long history: opening it, and draining a queue into it.
    Client(client::Args),
    /// The program in a terminal: its first frame, and each key while others write much.
    Tui(tui::Args),
    /// Readers that take nothing, and whether others notice.
    Slow(slow::Args),
    /// One device that catches up, in a process of its own.
    #[command(hide = true)]
    Fetch,
    /// The bound: forwards frames between pairs over the same TLS and WebSocket, and keeps nothing.
    #[command(hide = true)]
    Bound(bound::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(figures) => {
            figures.print(cli.json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<Figures, BenchError> {
    // These start programs and runtimes of their own.
    match &command {
        Command::Client(args) => return client::run(args),
        Command::Tui(args) => return tui::run(args),
        Command::Mls(args) => return mls::run(args),
        _ => {}
    }
    // As many threads as the relay itself has: both share the machine.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Relay(args) => relay::run(args).await,
            Command::Create(args) => create::run(args).await,
            Command::Group(args) => group::run(args).await,
            Command::Offline(args) => offline::run(args).await,
            Command::Idle(args) => idle::run(args).await,
            Command::Catchup(args) => catchup::run(args).await,
            Command::Slow(args) => slow::run(args).await,
            Command::Fetch => catchup::fetch().await,
            Command::Bound(args) => bound::run(args).await,
            Command::Client(args) => client::run(&args),
            Command::Tui(args) => tui::run(&args),
            Command::Mls(args) => mls::run(&args),
        }
    })
}

//! The load generator: real processes, figures as JSON.

mod client;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "bench", version, about = "Measures Aside with real processes.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A client with a long history: opening it, and draining a queue into it.
    Client(client::Args),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Client(args) => client::run(&args).and_then(|figures| client::print(&args, &figures)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

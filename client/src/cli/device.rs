//! `aside device`: the machines of one's own that belong to the account.

mod add;
mod history;
mod link;
mod list;
mod revoke;

use super::{CliError, Settings};
use crate::agent::fingerprint;
use aside_protocol::DeviceId;
use aside_tui::text::{clip, one_line};
use clap::{Args, Subcommand};

/// Characters of a machine's name that are shown.
const SHOWN: usize = 40;

#[derive(Debug, Args)]
pub(super) struct DeviceArgs {
    #[command(subcommand)]
    command: DeviceCommand,
}

#[derive(Debug, Subcommand)]
enum DeviceCommand {
    /// Let another machine of yours into your account: prints a code for it, waits, and asks.
    Add(add::AddArgs),
    /// Make this machine a device of your account, with the code from another one.
    Link(link::LinkArgs),
    /// List the devices of your account.
    List(list::ListArgs),
    /// Remove a device for good, for example a lost one.
    Revoke(revoke::RevokeArgs),
}

pub(super) async fn run(args: DeviceArgs, settings: &Settings) -> Result<(), CliError> {
    match args.command {
        DeviceCommand::Add(args) => add::run(args, settings).await,
        DeviceCommand::Link(args) => link::run(args, settings).await,
        DeviceCommand::List(args) => list::run(&args, settings),
        DeviceCommand::Revoke(args) => revoke::run(&args, settings).await,
    }
}

/// A machine's name, harmless for a terminal: another device chose it.
fn shown(machine: &str) -> String {
    clip(&one_line(machine), SHOWN).0.into()
}

fn uuid(device: &DeviceId) -> String {
    uuid::Uuid::from_bytes(device.0).to_string()
}

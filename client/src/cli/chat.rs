//! `aside chat`, and `aside` alone: the screen.

use super::{CliError, Settings, profile};
use crate::tui;
use clap::Args;

#[derive(Debug, Default, Args)]
pub(super) struct ChatArgs {
    /// Whose conversation to begin with.
    name: Option<String>,
}

pub(super) async fn run(args: ChatArgs, settings: &Settings) -> Result<(), CliError> {
    let wanted = args.name.as_deref().map(profile::name).transpose()?;
    tui::run(settings, wanted.map(|name| name.to_string())).await
}

//! `aside chat`, and `aside` alone: the screen.

use super::{CliError, Settings, profile};
use crate::tui;
use clap::Args;

/// Longer texts are ids.
const LONGEST_NAME: usize = 32;

#[derive(Debug, Default, Args)]
pub(super) struct ChatArgs {
    /// Whose conversation to begin with: a name, #group, or a chat's id.
    name: Option<String>,
}

pub(super) async fn run(args: ChatArgs, settings: &Settings) -> Result<(), CliError> {
    // A group or channel is found among the chats; anything else must be a name.
    let is_group = |text: &str| text.starts_with('#') || text.len() > LONGEST_NAME;
    if let Some(text) = args.name.as_deref().filter(|text| !is_group(text)) {
        profile::name(text)?;
    }
    tui::run(settings, args.name).await
}

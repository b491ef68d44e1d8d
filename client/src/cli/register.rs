//! `aside register`: an account and its first device.

use super::{CliError, Settings, json, profile, prompt};
use crate::agent::{Registration, register};
use aside_protocol::invite::Invite;
use clap::Args;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long the key packages may take to reach the relay; without them nobody can write to the new account.
const SETTLE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(super) struct RegisterArgs {
    /// The invite link, or - to read it from standard input.
    invite: String,
    /// The name others will know you by: 3 to 32 of a-z, 0-9, dot, underscore, hyphen.
    #[arg(long)]
    name: String,
    /// Where to write the 24 recovery words, instead of showing them.
    #[arg(long, value_name = "PATH")]
    recovery_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: RegisterArgs, settings: &Settings) -> Result<(), CliError> {
    let invite = Invite::from_link(&prompt::given(Some(args.invite), "Paste the invite link and press Enter:")?)
        .map_err(|e| CliError::Usage(e.to_string()))?;
    let show = args.recovery_file.is_none() && !args.json && std::io::stderr().is_terminal();
    let file = args.recovery_file.unwrap_or_else(|| settings.folder.path().join("recovery-words.txt"));
    let registration = Registration {
        folder: settings.folder.clone(),
        invite,
        name: profile::name(&args.name)?,
        recovery_file: file.clone(),
        choice: settings.transport,
    };
    let done = register(&registration).await?;
    if show {
        show_words(&file)?;
    } else {
        eprintln!("Your 24 recovery words are in {}. Move them to a safe place.", file.display());
    }
    // Key packages are uploaded now, so that others can write to the new account while it is away.
    profile::online(settings)?.close(SETTLE).await;
    if args.json {
        return json::print(
            "registered",
            serde_json::json!({
                "name": done.name.as_str(),
                "account": done.account.to_hex(),
                "device": uuid::Uuid::from_bytes(done.device.0).to_string(),
                "relay": done.relay.addresses,
                "recovery_file": (!show).then(|| file.display().to_string()),
            }),
        );
    }
    json::line(&format!("You are {} at {}.", done.name, done.relay.addresses.join(", ")))
}

/// Shows the words once; then the only copy is with the user.
fn show_words(file: &Path) -> Result<(), CliError> {
    let words = Zeroizing::new(std::fs::read_to_string(file).map_err(CliError::Input)?);
    eprintln!("These 24 words are the only way to get this account back. Write them down; they are not shown again.\n");
    for (row, chunk) in words.split_whitespace().collect::<Vec<_>>().chunks(6).enumerate() {
        let numbered = chunk.iter().enumerate().map(|(i, word)| format!("{:>2} {word:<10}", row * 6 + i + 1));
        eprintln!("  {}", numbered.collect::<Vec<_>>().join(" ").trim_end());
    }
    eprintln!();
    std::fs::remove_file(file).map_err(CliError::Output)
}

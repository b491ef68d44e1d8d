//! `aside recover`: the 24 words bring an account back on a new machine.

use super::{CliError, Settings, json, profile, prompt};
use crate::agent::{Recovery, own_machine, recover};
use aside_crypto::RecoveryPhrase;
use aside_protocol::invite::Invite;
use aside_store::profile::RelayPlace;
use clap::Args;
use std::time::Duration;

/// How long the key packages, and asking for the account's chats, may take.
const SETTLE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(super) struct RecoverArgs {
    /// Any invite link of your relay, to find it by; it may be used up. The 24 words are asked for, or read from standard
    /// input.
    invite: String,
    /// What to call this machine among your devices [default: its host name].
    #[arg(long, value_name = "TEXT")]
    machine: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: RecoverArgs, settings: &Settings) -> Result<(), CliError> {
    let invite = Invite::from_link(&args.invite).map_err(|e| CliError::Usage(e.to_string()))?;
    let words = prompt::hidden("Type your 24 recovery words; they are not shown. An empty line ends them:")?;
    let phrase = RecoveryPhrase::parse(&words).map_err(|e| CliError::Usage(e.to_string()))?;
    let recovery = Recovery {
        folder: settings.folder.clone(),
        relay: RelayPlace { addresses: invite.addresses, pin: invite.pin, mode: invite.mode },
        machine: args.machine.unwrap_or_else(own_machine),
        choice: settings.transport,
    };
    let done = recover(&recovery, &phrase).await?;
    // Key packages are uploaded and the account's chats asked for now, so that others can let this device in.
    profile::online(settings)?.close(SETTLE).await;
    if args.json {
        return json::print(
            "recovered",
            serde_json::json!({
                "name": done.name.as_str(),
                "account": done.account.to_hex(),
                "device": uuid::Uuid::from_bytes(done.device.0).to_string(),
                "list_version": done.list_version,
                "relay": done.relay.addresses,
            }),
        );
    }
    eprintln!("Every other device of this account was removed. Your chats come back as their members are online;");
    eprintln!("what was written before is on your old devices only.");
    json::line(&format!("You are {} again, at {}.", done.name, done.relay.addresses.join(", ")))
}

//! `aside trust policy`: what sending does when a name leads to a new key, unless it is told otherwise.

use super::profile::{ON_KEY_CHANGE, OnKeyChange};
use super::{CliError, Settings, json, profile};
use aside_store::Store;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    #[command(subcommand)]
    command: TrustCommand,
}

#[derive(Debug, Subcommand)]
enum TrustCommand {
    /// Show or set what `aside send` does when somebody's key has changed.
    Policy(PolicyArgs),
}

#[derive(Debug, Args)]
struct PolicyArgs {
    /// What to do from now on.
    #[arg(long, value_enum)]
    on_key_change: Option<OnKeyChange>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TrustArgs, settings: &Settings) -> Result<(), CliError> {
    let TrustCommand::Policy(args) = &args.command;
    // Only a profile that is somebody's has a policy.
    drop(profile::offline(settings)?);
    let mut store = Store::open(&settings.folder)?;
    let policy = store.transact::<_, CliError>(|tx| {
        if let Some(policy) = args.on_key_change {
            tx.set_setting(ON_KEY_CHANGE, policy.word())?;
        }
        Ok(OnKeyChange::from_word(tx.setting(ON_KEY_CHANGE)?.as_deref()))
    })?;
    if args.json {
        return json::print("policy", serde_json::json!({ "on_key_change": policy.word() }));
    }
    json::line(&format!("when a key changes: {}", policy.word()))
}
